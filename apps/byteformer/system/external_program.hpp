// Other programs: found, started, become, or fed and read as a filter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace byteformer::cli {

/// Where the program `name` is: beside this one, in ../libexec/byteformer, or on the PATH.
std::optional<std::filesystem::path> find_program(const std::string& name);

/// Where byteformer-train is, for one who starts it now: sets what it wants in the environment.
/// \param who  stands before "the program byteformer-train": "train needs"
/// \param otherwise  what else there is to do; follows the message
/// \throws Error kUnsupported saying how to get it where it is not installed.
std::filesystem::path find_trainer(const std::string& who, const std::string& otherwise = "");

/// Becomes `program`, with `arguments`; returns only if that fails.
/// \throws Error kIo saying why.
[[noreturn]] void become(const std::filesystem::path& program, const std::vector<std::string>& arguments);

/// Runs `program` with `arguments` and waits for its end; what it writes to its standard output goes to our standard
/// error. Once interrupted() says so, it gets SIGINT, too, and has its time to end.
/// \returns its exit status; 128 and the number of the signal that ended it.
/// \throws Error kIo saying why it cannot be started, or that its status is lost.
int run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments);

/// Runs `program` with `arguments` and `input` as its standard input, which it must read to the end before it writes
/// more than a pipe holds. Its standard error is ours.
/// \returns its standard output.
/// \throws Error kIo where it cannot be started; kInternal where it does not end with status 0, which it has explained;
///         Interrupted (and the program is ended) on Ctrl-C.
std::string run_filter(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                       std::span<const std::uint8_t> input);

}  // namespace byteformer::cli
