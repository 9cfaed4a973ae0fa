// Modules: parts of the program in libraries of their own, which are loaded when they are first needed, so that a
// process that does not need them starts without the libraries that they need.
#pragma once

#include <string>
#include <string_view>

namespace byteformer::base {

/// Loads the module `file` from where modules are built and installed; it stays.
/// \param purpose  "what decodes pictures": for messages
/// \returns the address of its function `door`
/// \throws Error kUnsupported; kIo where there is no file descriptor left to open it with
void* open_module(const std::string& file, const char* door, std::string_view purpose);

/// \throws Error kUnsupported saying that the module `file` is that of another version
[[noreturn]] void refuse_module_of_other_version(const std::string& file, std::string_view purpose);

}  // namespace byteformer::base
