// Where this process's program lies, from which it finds what is installed with it.
#pragma once

#include <filesystem>

namespace byteformer::base {

/// The folder of the running program, links resolved; empty where the system does not tell. Thread-safe.
std::filesystem::path program_folder();

}  // namespace byteformer::base
