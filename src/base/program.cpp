// Asks the system where the running program lies.
#include "base/program.hpp"

namespace byteformer::base {

std::filesystem::path program_folder() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
}

}  // namespace byteformer::base
