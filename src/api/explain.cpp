// The outputs of a file without some of its bytes, computed by all threads side by side; and occlusion by a sliding
// window: which windows, and what their falls mean for each byte.
#include "byteformer/explain.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/engine.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "base/thread_pool.hpp"
#include "model/remembered_run.hpp"

namespace byteformer {
namespace {

constexpr std::size_t kRemovalsARound = 4;  // per thread: then the caller hears of the progress

void check(const Removal& removal, std::uint64_t num_bytes) {
  for (const ByteRange& range : removal)
    if (range.begin > range.end || range.end > num_bytes)
      throw Error(ErrorCode::kInvalidArgument, "bytes " + std::to_string(range.begin) + " to " +
                                                   std::to_string(range.end) + " do not lie in the file of " +
                                                   std::to_string(num_bytes) + " bytes");
}

Output output_of(const nn::FileVectors& vectors, std::uint64_t num_bytes, std::uint64_t num_tokens) {
  return {num_bytes, num_tokens, vectors.logits, vectors.features};
}

constexpr std::uint64_t kMostWindows = 1024;  // where nobody says how many

struct Sliding {
  std::uint64_t span = 0;
  std::uint64_t step = 0;
};

/// What `options` leave open is chosen so that a window covers the bytes of a token, a byte is in four of them, and
/// their number stays bounded.
Sliding sliding_of(const ExplainOptions& options, std::uint64_t kernel_size, std::uint64_t num_bytes) {
  if (options.span > num_bytes)
    base::fail(ErrorCode::kInvalidArgument, "the span is ", options.span, " bytes, but the file has ", num_bytes);
  const std::uint64_t least_step = (num_bytes + kMostWindows - 1) / kMostWindows;
  Sliding sliding{options.span, options.step};
  if (sliding.span == 0)
    sliding.span = std::min(num_bytes, std::max(kernel_size, 4 * std::max(sliding.step, least_step)));
  if (sliding.step == 0)
    sliding.step = std::min(sliding.span, std::max(std::max<std::uint64_t>(1, sliding.span / 4), least_step));
  if (sliding.step > sliding.span)
    base::fail(ErrorCode::kInvalidArgument, "the step is ", sliding.step, " bytes, more than the span of ",
               sliding.span, ": some bytes would never be removed");
  return sliding;
}

std::vector<ByteRange> windows_of(const Sliding& sliding, std::uint64_t num_bytes) {
  std::vector<ByteRange> windows;
  for (std::uint64_t begin = 0; windows.empty() || windows.back().end < num_bytes; begin += sliding.step)
    windows.push_back({begin, std::min(begin + sliding.span, num_bytes)});
  return windows;
}

/// For each byte the mean fall of the windows that hold it.
std::vector<float> mean_falls(std::span<const ByteRange> windows, std::span<const double> falls,
                              std::uint64_t num_bytes) {
  // Windows ascend at both ends, so those that hold a byte follow one another.
  std::vector<float> heat(num_bytes);
  std::size_t first = 0, last = 0;
  for (std::uint64_t byte = 0; byte < num_bytes; ++byte) {
    while (last < windows.size() && windows[last].begin <= byte) ++last;
    while (windows[first].end <= byte) ++first;
    BF_DCHECK_LT(first, last);
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += falls[i];
    heat[byte] = static_cast<float>(sum / static_cast<double>(last - first));
  }
  return heat;
}

int best_class(const Output& output) {
  return static_cast<int>(std::ranges::max_element(output.logits) - output.logits.begin());
}

}  // namespace

struct Occluder::State {
  State(const Classifier& c, std::shared_ptr<const api::Engine> shared, Bytes file)
      : classifier(c),
        engine(std::move(shared)),
        run(engine->model(), checked(*engine, file), engine->pool()),
        output(output_of(run.result(), file.size(), engine->model().stem().tokens().num_tokens(file.size()))) {}

  static Bytes checked(const api::Engine& engine, Bytes file) {
    if (!file.empty()) engine.form().check(file);
    return file;
  }

  OccludedOutput occlude(const Removal& removal, std::uint16_t id, model::Rerun& rerun) const {
    rerun.run(removal, id);
    return {output_of(rerun.result(), output.num_bytes, output.num_tokens), rerun.num_rows()};
  }

  Classifier classifier;
  std::shared_ptr<const api::Engine> engine;
  model::RememberedRun run;
  Output output;
};

Occluder::Occluder(const Classifier& classifier, Bytes file)
    : state_(std::make_shared<const State>(classifier, classifier.engine_, file)) {}

const Classifier& Occluder::classifier() const noexcept { return state_->classifier; }
const Output& Occluder::output() const noexcept { return state_->output; }
std::uint64_t Occluder::num_rows() const noexcept { return state_->run.num_rows(); }

std::vector<OccludedOutput> Occluder::without(std::span<const Removal> removals, const RemovalOptions& options) const {
  for (const Removal& removal : removals) check(removal, output().num_bytes);
  const std::uint16_t id = options.fill ? *options.fill : nn::ByteStem::kPadding;
  const auto num_threads = static_cast<std::size_t>(state_->engine->num_threads());
  std::vector<std::unique_ptr<model::Rerun>> reruns(num_threads);  // each made by the thread that needs it
  std::vector<OccludedOutput> outputs;
  base::FirstException failure;
  while (outputs.size() < removals.size()) {
    const std::size_t first = outputs.size();
    const std::size_t count = std::min(kRemovalsARound * num_threads, removals.size() - first);
    outputs.resize(first + count);
    state_->engine->pool().parallel_for(count, [&](std::size_t i, int worker) noexcept {
      failure.guard([&] {
        BF_DCHECK_LT(worker, reruns.size());
        auto& rerun = reruns[static_cast<std::size_t>(worker)];
        if (!rerun) rerun = std::make_unique<model::Rerun>(state_->run);
        outputs[first + i] = state_->occlude(removals[first + i], id, *rerun);
      });
    });
    failure.rethrow();
    if (options.keep_going && !options.keep_going(outputs.size(), removals.size())) break;
  }
  return outputs;
}

double value_of(const Classifier& classifier, const Output& output, int label, Quantity quantity) {
  const double log_odds = classifier.log_odds(output, label);  // checks the label, too
  if (quantity == Quantity::kLogit) return static_cast<double>(output.logits[static_cast<std::size_t>(label)]);
  if (classifier.num_labels() < 2)
    throw Error(ErrorCode::kUnsupported, "the model has one class, which it always answers: its log-odds say nothing");
  return log_odds;
}

std::optional<Explanation> explain(const Occluder& occluder, const ExplainOptions& options) {
  const Classifier& classifier = occluder.classifier();
  const Output& whole = occluder.output();
  const Sliding sliding = sliding_of(options, static_cast<std::uint64_t>(classifier.kernel_size()), whole.num_bytes);
  Explanation result;
  result.label = options.label.value_or(best_class(whole));
  result.value = value_of(classifier, whole, result.label, options.quantity);
  result.span = sliding.span;
  result.step = sliding.step;
  result.windows = windows_of(sliding, whole.num_bytes);
  std::vector<Removal> removals;
  for (const ByteRange& window : result.windows) removals.push_back({window});
  result.without = occluder.without(removals, options.removal);
  if (result.without.size() < removals.size()) return std::nullopt;
  for (const OccludedOutput& without : result.without) {
    result.falls.push_back(result.value - value_of(classifier, without.output, result.label, options.quantity));
    result.num_rows += without.num_rows;
  }
  result.heat = mean_falls(result.windows, result.falls, whole.num_bytes);
  return result;
}

}  // namespace byteformer
