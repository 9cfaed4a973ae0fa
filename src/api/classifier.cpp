// The public API: files in, outputs or errors out.
#include "byteformer/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "api/batch.hpp"
#include "api/engine.hpp"

namespace byteformer {
namespace {

Output single(std::vector<FileResult> results) {
  if (const auto* error = std::get_if<Error>(&results.front())) throw *error;
  return std::get<Output>(std::move(results.front()));
}

/// Outputs are plain data: one of another model must not be read as one of this.
void check_classes(const Output& output, int num_labels) {
  if (output.logits.size() != static_cast<std::size_t>(num_labels))
    throw Error(ErrorCode::kInvalidArgument, "the output has " + std::to_string(output.logits.size()) +
                                                 " logits, but the model has " + std::to_string(num_labels) +
                                                 " classes: it is that of another model");
}

/// Whether logit `a` comes before `b`; what is no number comes last, else there were no order at all.
bool is_better(float a, float b) { return a > b || (!std::isnan(a) && std::isnan(b)); }

}  // namespace

struct Stream::State {
  explicit State(std::shared_ptr<const api::Engine> shared)
      : engine(std::move(shared)), lease(*engine, api::Engine::Threads::kAll), watch(engine->form()) {}

  std::shared_ptr<const api::Engine> engine;
  api::Engine::Lease lease;
  api::ExpectedForm::Watch watch;  // over the file's form
  std::uint64_t num_bytes = 0;
  std::optional<Error> failure;  // of an earlier feed()

  /// Runs `action` on the workspace; a failure makes the stream fail from then on.
  template <typename Action>
  void run(const Action& action) {
    if (failure) throw *failure;
    try {
      action(engine->model(), *lease);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kEmptyFile) failure = error;
      throw;
    }
  }
};

Classifier::Classifier(std::shared_ptr<const api::Engine> engine) : engine_(std::move(engine)) {}

Classifier Classifier::load(const std::filesystem::path& model_dir, const LoadOptions& options) {
  return Classifier(std::make_shared<const api::Engine>(model_dir, options));
}

Output Classifier::classify(Bytes file) const { return single(classify_batch({&file, 1})); }

std::vector<FileResult> Classifier::classify_batch(std::span<const Bytes> files) const {
  return api::classify_all(*engine_, files);
}

Output Classifier::classify_file(const std::filesystem::path& path) const { return single(classify_files({&path, 1})); }

std::vector<FileResult> Classifier::classify_files(std::span<const std::filesystem::path> paths) const {
  return api::classify_all(*engine_, paths);
}

Stream Classifier::stream() const { return Stream(std::make_unique<Stream::State>(engine_)); }

std::vector<float> Classifier::scores(const Output& output) const {
  check_classes(output, num_labels());
  std::vector<float> scores(output.logits.size());
  const double largest = *std::max_element(output.logits.begin(), output.logits.end());
  const double temperature = engine_->config().temperature;
  std::vector<double> weights;
  for (const float logit : output.logits)
    weights.push_back(std::exp((static_cast<double>(logit) - largest) / temperature));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(weights[i] / sum);
  return scores;
}

double Classifier::log_odds(const Output& output, int label) const {
  if (label < 0 || label >= num_labels())
    throw Error(ErrorCode::kInvalidArgument,
                "there is no class " + std::to_string(label) + "; the model has " + std::to_string(num_labels()));
  check_classes(output, num_labels());
  const double temperature = engine_->config().temperature;
  const auto logit = [&](std::size_t i) { return static_cast<double>(output.logits[i]) / temperature; };
  const auto own = static_cast<std::size_t>(label);
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < output.logits.size(); ++i)
    if (i != own) largest = std::max(largest, logit(i));
  if (output.logits.size() < 2) return -largest;
  double sum = 0;
  for (std::size_t i = 0; i < output.logits.size(); ++i)
    if (i != own) sum += std::exp(logit(i) - largest);
  return logit(own) - (largest + std::log(sum));
}

std::vector<Prediction> Classifier::top_k(const Output& output, int k) const {
  const std::vector<float> all = scores(output);
  std::vector<int> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min(order.size(), static_cast<std::size_t>(std::max(0, k)));
  // Ranked by logit: two scores may round to the same float where the logits differ.
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](int a, int b) {
    const float left = output.logits[static_cast<std::size_t>(a)];
    const float right = output.logits[static_cast<std::size_t>(b)];
    return is_better(left, right) || (!is_better(right, left) && a < b);
  });
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(order[i]);
    predictions.push_back({order[i], labels()[index], all[index]});
  }
  return predictions;
}

const std::vector<std::string>& Classifier::labels() const noexcept { return engine_->config().labels; }
int Classifier::num_labels() const noexcept { return static_cast<int>(engine_->config().num_labels); }
int Classifier::hidden_size() const noexcept { return static_cast<int>(engine_->config().hidden_size); }
int Classifier::kernel_size() const noexcept {
  return std::max(1, static_cast<int>(engine_->config().conv_kernel_size));
}
Masking Classifier::masking() const noexcept { return engine_->masking(); }
float Classifier::unknown_below() const noexcept {
  return static_cast<float>(engine_->config().unknown_below.value_or(0));
}
Precision Classifier::precision() const noexcept { return engine_->precision(); }
int Classifier::num_threads() const noexcept { return engine_->num_threads(); }
const char* Classifier::kernels_name() const noexcept { return engine_->kernels().name; }
std::size_t Classifier::workspace_bytes() const noexcept { return engine_->max_workspace_bytes(); }

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

void Stream::feed(Bytes bytes) {
  state_->run([&](const model::ByteFormer& model, model::Workspace& workspace) {
    state_->watch.push(bytes);
    try {
      model.feed(bytes, workspace);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kTooManyTokens) state_->watch.check();  // what to do says kNotPrepared
      throw;
    }
  });
  state_->num_bytes += bytes.size();
}

Output Stream::finish() {
  Output output;
  state_->run([&](const model::ByteFormer& model, model::Workspace& workspace) {
    model.end_file(workspace);
    model.flush(workspace);
    output.num_bytes = std::exchange(state_->num_bytes, 0);
    output.num_tokens = model.stem().tokens().num_tokens(output.num_bytes);
    output.features = std::move(workspace.results.features);
    output.logits = std::move(workspace.results.logits);
    workspace.results.clear();
  });
  const api::ExpectedForm::Watch watch = std::exchange(state_->watch, api::ExpectedForm::Watch(state_->engine->form()));
  watch.check();
  return output;
}

}  // namespace byteformer
