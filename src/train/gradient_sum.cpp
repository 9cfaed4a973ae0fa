// Cuts the flat gradients by layers, and starts the sum of each bucket as soon as its layers are done.
#include "train/gradient_sum.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "train/module.hpp"

namespace byteformer::train {
namespace {

constexpr std::int64_t kBucketSize = 1 << 18;  // numbers: 1 MB

/// When the backward pass completes the gradient of the tensor `name`.
int stage_of(const std::string& name, const format::ModelConfig& config) {
  const auto num_layers = static_cast<int>(config.num_hidden_layers);
  for (int layer = 0; layer < num_layers; ++layer)
    if (name.starts_with(block_prefix(size(layer))) || name.starts_with(merge_prefix(size(layer)))) return layer;
  return name.starts_with("post_transformer_norm.") || name.starts_with("classifier.") ? num_layers : -1;
}

std::vector<GradientPiece> pieces_of(const Parameters& parameters, const format::ModelConfig& config) {
  std::vector<std::pair<std::int64_t, GradientPiece>> by_offset;
  for (const auto& [name, view] : parameters.all())
    by_offset.push_back({view.storage_offset(), {view.numel(), stage_of(name, config)}});
  std::ranges::sort(by_offset, {}, [](const auto& piece) { return piece.first; });
  std::vector<GradientPiece> pieces;
  for (const auto& [offset, piece] : by_offset) pieces.push_back(piece);
  return pieces;
}

}  // namespace

GradientSum::GradientSum(Ranks& ranks, Parameters& parameters, const plan::TrainingPlan& plan)
    : ranks_(ranks),
      parameters_(parameters),
      buckets_(cut_buckets(pieces_of(parameters, plan.config), kBucketSize)),
      type_(plan.asked.all_reduce == "bfloat16" ? SumType::kBfloat16 : SumType::kFloat32) {}

void GradientSum::layers_are_done(int layer) {
  for (; num_started_ < buckets_.size() && buckets_[num_started_].stage >= layer; ++num_started_) {
    const GradientBucket& bucket = buckets_[num_started_];
    ranks_.start_sum(parameters_.gradients().narrow(0, bucket.begin, bucket.end - bucket.begin), type_);
  }
}

void GradientSum::finish() {
  layers_are_done(std::numeric_limits<int>::min());
  ranks_.finish();
  num_started_ = 0;
}

}  // namespace byteformer::train
