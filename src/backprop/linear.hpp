// The products of a linear layer in training: packed weights both ways, and the gradient of the weight.
#pragma once

#include <cstddef>
#include <span>

#include "backprop/workers.hpp"

namespace byteformer::backprop {

/// A weight in the form that products read: [depth, width].
struct PackedWeight {
  float* data = nullptr;
  std::size_t depth = 0;
  std::size_t width = 0;
  const float* bias = nullptr;  ///< [width], or null
};

/// A [out, in] weight to be packed for x W^T + bias (forward), or for d_y W (backward).
struct Packing {
  const float* weight = nullptr;
  std::size_t out_features = 0;
  std::size_t in_features = 0;
  const float* bias = nullptr;
  PackedWeight* to = nullptr;
};

/// Packs on all threads into `workers.shared`, where room must be reserved; sizes are multiples of
/// kernels::kRowAlignment.
void pack_weights(std::span<const Packing> packings, bool is_backward, TrainingWorkers& workers);

/// c[rows, width] = epilogue(a[rows, depth] packed + bias), contiguous rows. \param c_rows as in kernels::MatmulArgs
void multiply(const float* a, std::size_t rows, const PackedWeight& b, float* c, const kernels::Kernels& kernels,
              kernels::Epilogue epilogue = kernels::Epilogue::kStore, const std::int32_t* c_rows = nullptr) noexcept;

/// d_weight[out, in] += d_y^T x over `rows` rows. Whoever computes rows leaves them here.
struct WeightGradient {
  std::size_t rows = 0;
  std::size_t out_features = 0;
  std::size_t in_features = 0;
  float* d_y = nullptr;  ///< [rows, out_features]
  float* x = nullptr;    ///< [rows, in_features], packed by columns
  float* d_weight = nullptr;

  /// Where rows from `first` on go.
  float* d_y_from(std::size_t first) const noexcept { return d_y + first * out_features; }
  kernels::PackedColumns x_from(std::size_t first) const noexcept { return {x, rows, first}; }
  /// Rows [first, first + count) of x, given as [count, in_features].
  void pack_x(const float* from, std::size_t first, std::size_t count, const TrainingWorkers& workers) const noexcept {
    workers.training.pack_columns({from, count, in_features, x_from(first)});
  }
};

/// Lets the next loop of the workers, or finish(), add the products, once their rows are there. Each element is summed
/// by one thread, in the order of the rows. Nothing may wait yet.
void add_later(std::span<const WeightGradient> gradients, TrainingWorkers& workers);

}  // namespace byteformer::backprop
