// The gradients of all ranks, added up while the backward pass still runs.
#pragma once

#include <cstddef>
#include <vector>

#include "plan/plan.hpp"
#include "train/parameters.hpp"
#include "train/ranks.hpp"
#include "train/shares.hpp"

namespace byteformer::train {

/// Sums of a step; the same buckets in the same order on all ranks, whatever files they have.
class GradientSum {
 public:
  /// All of them must outlive this.
  GradientSum(Ranks& ranks, Parameters& parameters, const plan::TrainingPlan& plan);

  /// To be called when the gradients of `layer` and all later ones will not change any more in this step.
  void layers_are_done(int layer);

  /// Returns when `parameters.gradients()` are the sums over all ranks.
  void finish();

 private:
  Ranks& ranks_;
  Parameters& parameters_;
  std::vector<GradientBucket> buckets_;
  SumType type_;
  std::size_t num_started_ = 0;
};

}  // namespace byteformer::train
