// A program that runs as a filter: bytes in, bytes out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace byteformer::cli {

/// Runs `program` with `arguments` and `input` as its standard input, which it must read to the end before it writes
/// more than a pipe holds. Its standard error is ours.
/// \returns its standard output.
/// \throws Error kIo where it cannot be started; kInternal where it does not end with status 0, which it has explained;
///         Interrupted (and the program is ended) on Ctrl-C.
std::string run_filter(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                       std::span<const std::uint8_t> input);

}  // namespace byteformer::cli
