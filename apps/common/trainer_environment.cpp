// Sets the variables that LibTorch's thread libraries, the allocator and the loggers read, and one that says so.
#include "common/trainer_environment.hpp"

#include <cstdlib>

namespace byteformer::cli {

bool set_trainer_environment() {
  constexpr const char* kIsSet = "BYTEFORMER_TRAIN_STARTED";
  if (std::getenv(kIsSet) != nullptr) return false;
  setenv(kIsSet, "1", 1);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
  setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
  setenv("GLOG_minloglevel", "3", 0);  // what c10d has to complain of is said once, in our words
  setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
  return true;
}

}  // namespace byteformer::cli
