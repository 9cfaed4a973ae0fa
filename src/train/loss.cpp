// Implementation of loss.hpp.
#include "train/loss.hpp"

namespace byteformer::train {

torch::Tensor cross_entropy_sum(const torch::Tensor& logits, std::span<const Target> targets, double smoothing) {
  const std::int64_t classes = logits.size(1);
  torch::Tensor wanted = torch::full({logits.size(0), classes}, smoothing / static_cast<double>(classes));
  auto at = wanted.accessor<float, 2>();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    const auto row = static_cast<std::int64_t>(i);
    const auto share = static_cast<float>(1 - smoothing);
    at[row][target.label] += share * target.first_share;
    at[row][target.other_label] += share * (1 - target.first_share);
    for (std::int64_t c = 0; c < classes; ++c) at[row][c] *= target.weight;
  }
  return -(torch::log_softmax(logits.to(torch::kFloat32), 1) * wanted.to(logits.device())).sum();
}

}  // namespace byteformer::train
