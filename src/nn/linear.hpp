// Weights of linear layers and norms: views of what was loaded, and the packed form that the kernels read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/aligned_buffer.hpp"
#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "nn/scratch.hpp"

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

/// How linear layers multiply: in float32, or in lower precision where `reduced` is not null; and where they keep their
/// weights, which is memory of their own where `arena` is null.
struct LinearKernels {
  LinearKernels(const kernels::Kernels& float32, const kernels::ReducedKernels* lower = nullptr,  // NOLINT: converts
                base::PageArena* weights = nullptr)
      : full(&float32), reduced(lower), arena(weights) {}

  const kernels::Kernels* full;
  const kernels::ReducedKernels* reduced;
  base::PageArena* arena;
};

/// y = x W^T + b, packed once at load. Immutable: any number of threads may use it.
class Linear {
 public:
  Linear(LinearKernels kernels, const LinearView& view, std::size_t in_features, std::size_t out_features);

  /// What the weights of such a layer take of an arena.
  static std::size_t arena_bytes(LinearKernels kernels, std::size_t in_features, std::size_t out_features) noexcept;

  /// Makes room for run() over `num_rows` rows on every worker.
  void reserve(std::size_t num_rows, Workers& workers) const;

  /// c = epilogue(a W^T + b) for `rows` rows of `a`, which are padded with zeros to kernels::padded(in_features); fills
  /// b, depth, width and bias of `args`, which says the rest.
  void run(const kernels::MatmulArgs& args, WorkerScratch& scratch) const;

  std::size_t in_features() const noexcept { return in_features_; }
  std::size_t out_features() const noexcept { return out_features_; }

 private:
  void run_full(kernels::MatmulArgs args) const noexcept;
  void run_reduced(const kernels::MatmulArgs& args, WorkerScratch& scratch) const;

  LinearKernels kernels_;
  std::size_t in_features_;
  std::size_t out_features_;
  base::AlignedBuffer<float> bias_;            // empty if there is none, but zeros where operands are reduced
  base::AlignedBuffer<float> packed_;          // in float32, or
  base::AlignedBuffer<std::uint32_t> groups_;  // in lower precision
  base::AlignedBuffer<float> column_scales_;
  base::AlignedBuffer<float> column_sums_;
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
