// Starts the program once more with the environment that its libraries want.
#include "train/runtime.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

namespace byteformer::train {

void tune_process(char** argv) {
  if (std::getenv("BYTEFORMER_TRAIN_STARTED") == nullptr) {
    setenv("BYTEFORMER_TRAIN_STARTED", "1", 1);
    setenv("OMP_WAIT_POLICY", "passive", 0);
    setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
    execv("/proc/self/exe", argv);  // where that fails training is slower, nothing else
  }
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace byteformer::train
