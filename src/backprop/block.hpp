// An encoder block that remembers what its backward pass needs: windowed attention, feed-forward, residuals.
#pragma once

#include <cstddef>

#include "backprop/window_plan.hpp"
#include "backprop/workers.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::backprop {

/// One pointer per tensor, row-major with the published shapes: const float* for weights, float* for gradients.
template <typename Pointer>
struct BlockTensors {
  Pointer attention_norm_weight, attention_norm_bias;  ///< [hidden]
  Pointer qkv_weight, qkv_bias;                        ///< [3 hidden, hidden], [3 hidden]
  Pointer out_weight, out_bias;                        ///< [hidden, hidden], [hidden]
  Pointer feed_forward_norm_weight, feed_forward_norm_bias;
  Pointer up_weight, up_bias;      ///< [intermediate, hidden], [intermediate]
  Pointer down_weight, down_bias;  ///< [hidden, intermediate], [hidden]
};
using BlockWeights = BlockTensors<const float*>;
using BlockGradients = BlockTensors<float*>;

/// Sizes of a block; hidden_size and intermediate_size are multiples of kernels::kRowAlignment.
struct BlockShape {
  std::size_t hidden_size = 0;
  std::size_t num_heads = 0;
  std::size_t intermediate_size = 0;
  float layer_norm_eps = 0;

  std::size_t head_dim() const { return hidden_size / num_heads; }
};

/// What the forward pass leaves for the backward pass, in the window order.
struct BlockMemory {
  BlockMemory() = default;
  BlockMemory(const BlockShape& shape, std::size_t num_rows, BufferPool& pool);

  PooledBuffer qkv;         ///< [rows, 3 hidden]
  PooledBuffer attended;    ///< [rows, hidden], before the output projection
  PooledBuffer middle;      ///< [rows, hidden], between attention and feed-forward
  PooledBuffer up;          ///< [rows, intermediate], before GELU
  PooledBuffer filler_qkv;  ///< [3 hidden], what a filler row becomes
};

/// y = block(x) for packed rows [rows, hidden]; x and y do not overlap.
void block_forward(const BlockShape& shape, const BlockWeights& weights, const WindowPlan& plan, const float* x,
                   BlockMemory& memory, float* y, TrainingWorkers& workers);

/// d_x from d_y, and adds to the gradients of the weights. Sums run in an order that does not depend on the threads.
/// `x` and `memory` are those of the forward pass.
void block_backward(const BlockShape& shape, const BlockWeights& weights, const WindowPlan& plan, const float* x,
                    const BlockMemory& memory, const float* d_y, float* d_x, const BlockGradients& gradients,
                    TrainingWorkers& workers);

}  // namespace byteformer::backprop
