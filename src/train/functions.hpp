// Our own backward passes as nodes of LibTorch's autograd graph; the CPU's half of the module.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backprop/block.hpp"
#include "backprop/merge.hpp"
#include "backprop/stem.hpp"
#include "backprop/workers.hpp"

namespace byteformer::train {

// Each returns a tensor of the graph; its backward pass adds the gradients of the weights to where `gradients` points
// and hands on the gradient of x. Weights, gradients and workers must outlive the graph; without gradients enabled
// nothing is remembered. All float32 on the CPU; x is contiguous.

torch::Tensor stem(const backprop::StemShape& shape, const backprop::StemTensors<const float*>& weights,
                   const backprop::StemTensors<float*>& gradients, backprop::PackedIds ids, backprop::Workers& workers);

torch::Tensor block(const backprop::BlockShape& shape, const backprop::BlockWeights& weights,
                    const backprop::BlockGradients& gradients, backprop::WindowPlan plan, const torch::Tensor& x,
                    backprop::Workers& workers);

torch::Tensor merge(const backprop::MergeShape& shape, const backprop::MergeWeights& weights,
                    const backprop::MergeGradients& gradients, backprop::MergePlan plan, const torch::Tensor& x,
                    backprop::Workers& workers);

}  // namespace byteformer::train
