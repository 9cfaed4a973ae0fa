// Weights of linear layers and norms: views of what was loaded, and the packed form that the kernels read.
#pragma once

#include <cstddef>
#include <span>

#include "base/aligned_buffer.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::nn {

/// A linear layer as a checkpoint stores it.
struct LinearView {
  std::span<const float> weight;  ///< [out_features, in_features]
  std::span<const float> bias;    ///< [out_features], or empty
};

struct LayerNormView {
  std::span<const float> weight;  ///< [features]
  std::span<const float> bias;    ///< [features]
};

/// A copy of `values` padded with zeros to kernels::padded(size) floats.
base::AlignedBuffer<float> padded_copy(std::span<const float> values);

/// y = x W^T + b, packed once at load. Immutable: any number of threads may use it.
class Linear {
 public:
  Linear(const kernels::Kernels& kernels, const LinearView& view, std::size_t in_features, std::size_t out_features);

  /// c = epilogue(a W^T + b) for `rows` rows of `a`; fills b, depth, width and bias of `args`, which says the rest.
  void run(kernels::MatmulArgs args) const noexcept;

  std::size_t in_features() const noexcept { return in_features_; }
  std::size_t out_features() const noexcept { return out_features_; }

 private:
  const kernels::Kernels* kernels_;
  std::size_t in_features_;
  std::size_t out_features_;
  base::AlignedBuffer<float> packed_;
  base::AlignedBuffer<float> bias_;  // empty if there is none
};

/// Layer norm over channels.
class LayerNorm {
 public:
  LayerNorm(const kernels::Kernels& kernels, const LayerNormView& view, float eps);

  /// out[r] = norm(x[x_rows[r]]), or norm(x[r]) where `x_rows` is null. \see kernels::Kernels::layer_norm
  void run(const float* x, const std::int32_t* x_rows, std::size_t rows, float* out) const noexcept;

  std::span<const float> bias() const noexcept { return bias_.span(); }  ///< padded

 private:
  const kernels::Kernels* kernels_;
  std::size_t features_;
  float eps_;
  base::AlignedBuffer<float> weight_;
  base::AlignedBuffer<float> bias_;
};

}  // namespace byteformer::nn
