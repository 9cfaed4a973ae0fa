// The trainer's program, started by `byteformer train` and `byteformer explain`, as git starts its external commands.
// Not meant for people.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "common/gradient_messages.hpp"
#include "common/trainer_environment.hpp"
#include "plan/settings.hpp"
#include "runs.hpp"

namespace {

/// Prepares a program that trains, at the start of its main. Where it was started by hand, with the same `argv`, it
/// starts itself once more with the environment that its libraries want. Tensors of one step are those of the next, so
/// that memory that is given back would be cleared each time.
void tune_process(char** argv) {
  if (byteformer::cli::set_trainer_environment())
    execv("/proc/self/exe", argv);  // where that fails training is slower, nothing else
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace

namespace byteformer::train_app {

Failure failure_of(const std::exception& error) {
  if (const auto* ours = dynamic_cast<const Error*>(&error))
    return {ours->what(), ours->code() == ErrorCode::kInvalidArgument ? 2 : 3};
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return {"out of memory; try a smaller " + plan::option_name(&plan::Request::token_budget) + " or " +
            plan::option_name(&plan::Request::batch_size)};
  return {error.what()};
}

int complain(const char* command, const Failure& failure) {
  std::fprintf(stderr, "byteformer %s: %s\n", command, base::printable(failure.message, "\n").c_str());
  return failure.status;
}

void finish(const char* command, int status) {
  const bool was_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!was_written && status == 0) status = complain(command, {"cannot write to standard output"});
  std::fflush(nullptr);
  std::_Exit(status);
}

}  // namespace byteformer::train_app

int main(int argc, char** argv) {
  using byteformer::train_app::complain;
  const std::string first = argc > 1 ? argv[1] : "";
  if (argc == 2 && first == "--version") {
    std::printf("byteformer-train %s\n", byteformer::version());
    byteformer::train_app::finish("train", 0);
  }
  const bool explains = argc == 4 && first == byteformer::cli::kIntegratedGradients;
  const char* command = explains ? "explain" : "train";
  if (!explains && argc != 2)
    return complain(command, {"this program is started by `byteformer train`; see `byteformer train --help`", 2});
  try {
    tune_process(argv);
    byteformer::train_app::finish(
        command, explains ? byteformer::train_app::integrate_gradients(argv[2], argv[3])
                          : byteformer::train_app::train(byteformer::plan::parse_request(first)));
  } catch (const std::exception& error) {
    byteformer::train_app::finish(command, complain(command, byteformer::train_app::failure_of(error)));
  }
}
