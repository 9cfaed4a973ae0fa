// The outputs of a file without some of its bytes, computed by all threads side by side.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/engine.hpp"
#include "base/check.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/explain.hpp"
#include "model/remembered_run.hpp"

namespace byteformer {
namespace {

constexpr std::size_t kRemovalsARound = 4;  // a thread: then the caller hears of the progress

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

}  // namespace

struct Occluder::State {
  State(const Classifier& c, std::shared_ptr<const api::Engine> shared, Bytes file)
      : classifier(c),
        engine(std::move(shared)),
        run(engine->model(), file, engine->pool()),
        output(output_of(run.result(), file.size(), engine->model().stem().tokens().num_tokens(file.size()))) {}

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

}  // namespace byteformer
