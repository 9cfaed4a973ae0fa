// Programs of our own that are installed apart, started as git starts its external commands.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace byteformer::cli {

/// Where the program `name` is: beside this one, in ../libexec/byteformer, or on the PATH.
std::optional<std::filesystem::path> find_program(const std::string& name);

/// Becomes `program`, with `arguments`; returns only if that fails.
/// \throws Error kIo saying why.
[[noreturn]] void become(const std::filesystem::path& program, const std::vector<std::string>& arguments);

}  // namespace byteformer::cli
