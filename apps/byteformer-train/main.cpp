// The trainer's program, started by `byteformer train` and `byteformer explain`, as git starts its external commands.
// Not meant for people.
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "common/gradient_messages.hpp"
#include "gradients_run.hpp"
#include "plan/settings.hpp"
#include "train/runtime.hpp"
#include "training_run.hpp"

namespace {

bool explains(int argc, char** argv) {
  return argc == 4 && std::string(argv[1]) == byteformer::cli::kIntegratedGradients;
}

int complain(const char* command, const char* message, int status) {
  std::fprintf(stderr, "byteformer %s: %s\n", command, byteformer::base::printable(message, "\n").c_str());
  return status;
}

int train(int argc, char** argv) try {
  if (argc != 2)
    return complain("train", "this program is started by `byteformer train`; see `byteformer train --help`", 2);
  byteformer::train::tune_process(argv);
  return byteformer::train_app::run(byteformer::plan::parse_request(argv[1]));
} catch (const std::bad_alloc&) {
  using byteformer::plan::option_name;
  using byteformer::plan::Request;
  const std::string advice = "out of memory; try a smaller " + option_name(&Request::token_budget) + " or " +
                             option_name(&Request::batch_size);
  return complain("train", advice.c_str(), 3);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::printf("byteformer-train %s\n", byteformer::version());
    return 0;
  }
  if (!explains(argc, argv)) return train(argc, argv);
  byteformer::train::tune_process(argv);
  return byteformer::train_app::integrate_gradients(argv[2], argv[3]);
} catch (const byteformer::Error& error) {
  const bool is_usage = error.code() == byteformer::ErrorCode::kInvalidArgument;
  return complain(explains(argc, argv) ? "explain" : "train", error.what(), is_usage ? 2 : 3);
} catch (const std::exception& error) {
  return complain(explains(argc, argv) ? "explain" : "train", error.what(), 3);
}
