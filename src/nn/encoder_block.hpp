// A pre-norm transformer block: attention inside windows, then the feed-forward network, both with residuals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "nn/linear.hpp"
#include "nn/scratch.hpp"
#include "nn/window_cutter.hpp"

namespace byteformer::nn {

struct AttentionView {
  LayerNormView norm;
  LinearView qkv;  ///< [3 hidden, hidden]: q, k, v, each split into heads
  LinearView out;  ///< [hidden, hidden]
};

struct FeedForwardView {
  LayerNormView norm;
  LinearView up;    ///< [intermediate, hidden]
  LinearView down;  ///< [hidden, intermediate]
};

/// x = x + out(attention(norm(x))) inside each window. Immutable: any number of threads may use it.
class WindowAttention {
 public:
  WindowAttention(LinearKernels kernels, const AttentionView& view, std::size_t hidden_size, std::size_t num_heads,
                  float eps);

  /// Makes room for run() over `num_rows` rows, `largest_window` of them in one window, on every worker.
  void reserve(std::size_t num_rows, std::size_t largest_window, Workers& workers) const;

  /// Updates the rows of some windows in place. Windows do not affect each other.
  void run(float* rows, std::span<const std::int32_t> order, std::span<const Window> windows,
           WorkerScratch& scratch) const;

 private:
  const kernels::Kernels* kernels_;
  std::size_t hidden_size_;
  std::size_t num_heads_;
  LayerNorm norm_;
  Linear qkv_;
  Linear out_;
  base::AlignedBuffer<float> filler_qkv_;  // what a zero row becomes: its norm is the norm's bias
};

/// x = x + down(gelu(up(norm(x)))), row by row. Immutable: any number of threads may use it.
class FeedForward {
 public:
  FeedForward(LinearKernels kernels, const FeedForwardView& view, std::size_t hidden_size,
              std::size_t intermediate_size, float eps);

  /// Makes room for run() over `num_rows` rows on every worker.
  void reserve(std::size_t num_rows, Workers& workers) const;

  /// Updates rows order[0], order[1], ... in place.
  void run(float* rows, std::span<const std::int32_t> order, WorkerScratch& scratch) const;

 private:
  LayerNorm norm_;
  Linear up_;
  Linear down_;
};

/// One encoder layer.
class EncoderBlock {
 public:
  /// Rows of a task, beyond which it takes at most one more window.
  static constexpr std::size_t kMostTaskRows = 128;

  EncoderBlock(WindowAttention attention, FeedForward feed_forward);

  /// Updates the rows of all complete windows of `cutter` in place, on all workers.
  void operator()(WindowCutter& cutter, Workers& workers) const;

  /// Updates the rows of `windows` in place, on all workers. \param rows  order[i] is a row of it
  void run(float* rows, std::span<const std::int32_t> order, std::span<const Window> windows, Workers& workers) const;

 private:
  WindowAttention attention_;
  FeedForward feed_forward_;
};

}  // namespace byteformer::nn
