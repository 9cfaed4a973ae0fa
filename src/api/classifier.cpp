// The public API: files in, outputs or errors out.
#include "byteformer/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "api/engine.hpp"
#include "base/file_io.hpp"

namespace byteformer {
namespace {

constexpr std::size_t kFilesAhead = 64;                    // that the kernel fetches while others are computed
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // files up to this size are read whole before they flow

Error named(const std::filesystem::path& path, const Error& error) {
  return {error.code(), base::printable(path) + ": " + error.what()};
}

/// Feeds files into one workspace and hands out the results when the flow is flushed.
class Batch {
 public:
  explicit Batch(const api::Engine& engine) : model_(engine.model()), lease_(engine) {}

  void reserve(std::size_t num_files) { results_.reserve(num_files); }

  void add(Bytes file) {
    try {
      begin(file.size());
    } catch (const Error& error) {
      results_.emplace_back(error);
      return;
    }
    model_.feed(file, *lease_);
    end(file.size());
  }

  void add(const std::filesystem::path& path) {
    try {
      base::InputFile file(path);
      try {
        begin(file.size());
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kEmptyFile) throw named(path, error);
      }
      // One byte more than the file, so that the first read of a short one sees its end.
      piece_.resize(
          std::max(piece_.size(), static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, file.size() + 1))));
      flow(file, path);
    } catch (const Error& error) {
      results_.emplace_back(error);
    }
  }

  std::vector<FileResult> finish() {
    model_.flush(*lease_);
    const nn::FileVectors& vectors = (*lease_).results;
    std::size_t next = 0;
    for (const std::size_t slot : flowing_) {
      if (auto* output = std::get_if<Output>(&results_[slot])) take(vectors, next, *output);
      ++next;
    }
    return std::move(results_);
  }

 private:
  void begin(std::uint64_t num_bytes) const {
    if (num_bytes == 0) throw Error(ErrorCode::kEmptyFile, "is empty: there is nothing to classify");
    model_.stem().check_tokens(model_.stem().num_tokens(num_bytes));
  }

  void end(std::uint64_t num_bytes) {
    model_.end_file(*lease_);
    flowing_.push_back(results_.size());
    Output output;
    output.num_bytes = num_bytes;
    output.num_tokens = model_.stem().num_tokens(num_bytes);
    results_.emplace_back(std::move(output));
  }

  void flow(base::InputFile& file, const std::filesystem::path& path) {
    std::size_t size = file.read(piece_);
    if (size == 0)
      throw Error(ErrorCode::kEmptyFile, base::printable(path) + ": is empty: there is nothing to classify");
    std::uint64_t total = 0;
    try {
      for (; size > 0; size = file.read(piece_)) {
        model_.feed(Bytes(piece_).first(size), *lease_);
        total += size;
        if (size < piece_.size()) break;
      }
    } catch (const Error& error) {
      // The first pieces flow beside other files already: let the file end, and put the error in its output's place.
      end(total);
      results_.back() = error;
      return;
    }
    end(total);
  }

  static void take(const nn::FileVectors& vectors, std::size_t index, Output& output) {
    const std::size_t hidden = vectors.features.size() / vectors.num_files;
    const std::size_t labels = vectors.logits.size() / vectors.num_files;
    output.features.assign(vectors.features.begin() + static_cast<std::ptrdiff_t>(index * hidden),
                           vectors.features.begin() + static_cast<std::ptrdiff_t>((index + 1) * hidden));
    output.logits.assign(vectors.logits.begin() + static_cast<std::ptrdiff_t>(index * labels),
                         vectors.logits.begin() + static_cast<std::ptrdiff_t>((index + 1) * labels));
  }

  const model::ByteFormer& model_;
  api::Engine::Lease lease_;
  std::vector<std::uint8_t> piece_;
  std::vector<FileResult> results_;
  std::vector<std::size_t> flowing_;  // slots in results_ of the files that flow, in their order
};

Output single(std::vector<FileResult> results) {
  if (const auto* error = std::get_if<Error>(&results.front())) throw *error;
  return std::get<Output>(std::move(results.front()));
}

}  // namespace

struct Stream::State {
  explicit State(std::shared_ptr<const api::Engine> shared) : engine(std::move(shared)), lease(*engine) {}

  std::shared_ptr<const api::Engine> engine;
  api::Engine::Lease lease;
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
  Batch batch(*engine_);
  batch.reserve(files.size());
  for (const Bytes file : files) batch.add(file);
  return batch.finish();
}

Output Classifier::classify_file(const std::filesystem::path& path) const { return single(classify_files({&path, 1})); }

std::vector<FileResult> Classifier::classify_files(std::span<const std::filesystem::path> paths) const {
  Batch batch(*engine_);
  batch.reserve(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (i % kFilesAhead == 0 && paths.size() > 1)
      for (const auto& path : paths.subspan(i, std::min(kFilesAhead, paths.size() - i)))
        base::read_ahead(path, kPieceBytes);
    batch.add(paths[i]);
  }
  return batch.finish();
}

Stream Classifier::stream() const { return Stream(std::make_unique<Stream::State>(engine_)); }

std::vector<float> Classifier::scores(const Output& output) const {
  std::vector<float> scores(output.logits.size());
  if (scores.empty()) return scores;
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
    return left != right ? left > right : a < b;
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
Precision Classifier::precision() const noexcept { return engine_->precision(); }
int Classifier::num_threads() const noexcept { return engine_->num_threads(); }
const char* Classifier::kernels_name() const noexcept { return engine_->kernels().name; }
std::size_t Classifier::workspace_bytes() const noexcept { return engine_->model().max_workspace_bytes(num_threads()); }

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

void Stream::feed(Bytes bytes) {
  state_->run([&](const model::ByteFormer& model, model::Workspace& workspace) { model.feed(bytes, workspace); });
  state_->num_bytes += bytes.size();
}

Output Stream::finish() {
  Output output;
  state_->run([&](const model::ByteFormer& model, model::Workspace& workspace) {
    model.end_file(workspace);
    model.flush(workspace);
    output.num_bytes = std::exchange(state_->num_bytes, 0);
    output.num_tokens = model.stem().num_tokens(output.num_bytes);
    output.features = std::move(workspace.results.features);
    output.logits = std::move(workspace.results.logits);
    workspace.results.clear();
  });
  return output;
}

}  // namespace byteformer
