// The trainer's program, started by `byteformer train`, as git starts its external commands. Not meant for people.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "data/training_request.hpp"
#include "training_run.hpp"

namespace {

/// LibTorch's thread libraries spin while they wait, which takes a small machine's time from the threads that work.
/// They read the environment when they are loaded, so the program starts itself once more.
void stop_spinning(char** argv) {
  if (std::getenv("BYTEFORMER_TRAIN_STARTED") != nullptr) return;
  setenv("BYTEFORMER_TRAIN_STARTED", "1", 1);
  setenv("OMP_WAIT_POLICY", "passive", 0);
  setenv("OPENBLAS_THREAD_TIMEOUT", "4", 0);
  execv("/proc/self/exe", argv);  // where that fails training is slower, nothing else
}

int complain(const char* message, int status) {
  std::fprintf(stderr, "byteformer train: %s\n", message);
  return status;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::printf("byteformer-train %s\n", byteformer::version());
    return 0;
  }
  if (argc != 2) return complain("this program is started by `byteformer train`; see `byteformer train --help`", 2);
  stop_spinning(argv);
  // LibTorch's tensors of one step are those of the next: memory that is given back would be cleared each time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  return byteformer::train_app::run(byteformer::data::parse_training_request(argv[1]));
} catch (const byteformer::Error& error) {
  return complain(error.what(), error.code() == byteformer::ErrorCode::kInvalidArgument ? 2 : 3);
} catch (const std::bad_alloc&) {
  return complain("out of memory; try a smaller --token-budget or --batch-size", 3);
} catch (const std::exception& error) {
  return complain(error.what(), 3);
}
