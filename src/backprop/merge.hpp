// A token merge that remembers what its backward pass needs.
#pragma once

#include <cstddef>

#include "backprop/window_plan.hpp"
#include "backprop/workers.hpp"

namespace byteformer::backprop {

/// const float* for weights, float* for gradients.
template <typename Pointer>
struct MergeTensors {
  Pointer reduction_weight;        ///< [hidden, 2 hidden], columns channel-major: x[2t][0], x[2t+1][0], x[2t][1], ...
  Pointer norm_weight, norm_bias;  ///< [hidden]
};
using MergeWeights = MergeTensors<const float*>;
using MergeGradients = MergeTensors<float*>;

/// hidden_size is a multiple of kernels::kRowAlignment.
struct MergeShape {
  std::size_t hidden_size = 0;
  float layer_norm_eps = 0;
};

/// What the forward pass leaves: [merged rows, hidden], before the norm.
using MergeMemory = PooledBuffer;

/// y[merged rows, hidden] = merge(x[rows, hidden]).
void merge_forward(const MergeShape& shape, const MergeWeights& weights, const MergePlan& plan, const float* x,
                   MergeMemory& memory, float* y, TrainingWorkers& workers);

/// d_x from d_y, and adds to the gradients of the weights.
void merge_backward(const MergeShape& shape, const MergeWeights& weights, const MergePlan& plan, const float* x,
                    const MergeMemory& memory, const float* d_y, float* d_x, const MergeGradients& gradients,
                    TrainingWorkers& workers);

}  // namespace byteformer::backprop
