// The trainer's program, started by `byteformer train`, as git starts its external commands. Not meant for people.
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "data/training_request.hpp"
#include "train/runtime.hpp"
#include "training_run.hpp"

namespace {

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
  byteformer::train::tune_process(argv);
  return byteformer::train_app::run(byteformer::data::parse_training_request(argv[1]));
} catch (const byteformer::Error& error) {
  return complain(error.what(), error.code() == byteformer::ErrorCode::kInvalidArgument ? 2 : 3);
} catch (const std::bad_alloc&) {
  return complain("out of memory; try a smaller --token-budget or --batch-size", 3);
} catch (const std::exception& error) {
  return complain(error.what(), 3);
}
