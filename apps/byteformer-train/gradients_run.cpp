// Reads a request, integrates gradients along the path, and answers.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "common/gradient_messages.hpp"
#include "format/model_folder.hpp"
#include "runs.hpp"
#include "train/integrated_gradients.hpp"

namespace byteformer::train_app {
namespace {

/// A line that moves on standard error, and is gone at the end.
class Progress {
 public:
  Progress(bool is_shown, std::int64_t steps) : is_shown_(is_shown), steps_(steps) {}
  ~Progress() {
    if (is_shown_) std::fprintf(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(int num_done) const {
    if (is_shown_)
      std::fprintf(stderr, "\r\033[Kintegrated gradients: %d of %lld steps", num_done, static_cast<long long>(steps_));
  }

 private:
  bool is_shown_;
  std::int64_t steps_;
};

}  // namespace

int integrate_gradients(const std::string& text, const std::filesystem::path& model_dir) {
  const cli::GradientRequest request = cli::parse_gradient_request(text);
  const std::vector<std::uint8_t> file{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  format::ModelFolder folder = format::read_model_folder(model_dir);
  if (!request.masking.empty()) folder.config.masking = format::parse_masking(request.masking);
  const Progress progress(request.shows_progress, request.steps);
  const train::IntegratedGradients found =
      train::integrated_gradients(folder, static_cast<int>(request.threads), file,
                                  {.label = request.label,
                                   .of_logit = request.of_logit,
                                   .steps = static_cast<int>(request.steps),
                                   .on_step = [&](int num_done) { progress.show(num_done); }});
  std::cout << cli::to_json(cli::GradientAnswer{found.value, found.value_without, found.heat}) << std::flush;
  return std::cout ? 0 : 3;
}

}  // namespace byteformer::train_app
