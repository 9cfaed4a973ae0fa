// Halves the tokens: two rows become one by a linear layer and a norm.
#pragma once

#include <cstdint>
#include <span>

#include "nn/linear.hpp"
#include "nn/scratch.hpp"
#include "nn/window_cutter.hpp"

namespace byteformer::nn {

struct TokenMergeView {
  LinearView reduction;  ///< [hidden, 2 hidden], columns x[2t][0], x[2t+1][0], x[2t][1], ...; no bias
  LayerNormView norm;
};

/// row t = norm(reduction([row 2t, row 2t + 1])); a missing last row is zero. Immutable: any number of threads may use
/// it.
class TokenMerge {
 public:
  TokenMerge(LinearKernels kernels, const TokenMergeView& view, std::size_t hidden_size, float eps);

  /// Merges the complete pairs of `cutter` (windows of two) and returns one row per pair, valid until the next call.
  const float* operator()(WindowCutter& cutter, Workers& workers) const;

  /// Merges `pairs` of one or two rows and returns one row per pair, valid until the next call.
  /// \param rows  order[i] is a row of it
  const float* run(const float* rows, std::span<const std::int32_t> order, std::span<const Window> pairs,
                   Workers& workers) const;

 private:
  std::size_t hidden_size_;
  Linear reduction_;
  LayerNorm norm_;
};

}  // namespace byteformer::nn
