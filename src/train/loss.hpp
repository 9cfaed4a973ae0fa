// Cross entropy with label smoothing, for plain and for mixed labels.
#pragma once

#include <torch/torch.h>

#include <span>

namespace byteformer::train {

/// What one file should be: `label` with weight `first_share`, `other_label` with the rest (mixup); `weight` scales its
/// loss.
struct Target {
  int label = 0;
  int other_label = 0;
  float first_share = 1;
  float weight = 1;
};

/// The sum over files of the cross entropy between softmax(logits) and (1 - smoothing) target + smoothing / classes.
/// \param logits [files, classes]
torch::Tensor cross_entropy_sum(const torch::Tensor& logits, std::span<const Target> targets, double smoothing);

}  // namespace byteformer::train
