// Gathers pairs of rows, multiplies and normalises them, and takes gradients back to the rows.
#include "backprop/merge.hpp"

#include <algorithm>

#include "backprop/linear.hpp"
#include "base/check.hpp"

namespace byteformer::backprop {
namespace {

constexpr std::size_t kTaskRows = 128;
constexpr std::size_t kPairChunkRows = 1024;

/// The reduction's weight with the first row's columns before the second row's, so that a pair is read as it lies.
/// Takes 4 hidden^2 floats of `workers.shared`.
PackedWeight pack_reduction(const float* weight, std::size_t hidden, bool is_backward, TrainingWorkers& workers) {
  float* unwoven = workers.shared.take(2 * hidden * hidden);
  workers.pool.parallel_for(hidden, [&](std::size_t o, int) noexcept {
    for (std::size_t i = 0; i < hidden; ++i) {
      unwoven[o * 2 * hidden + i] = weight[o * 2 * hidden + 2 * i];
      unwoven[o * 2 * hidden + hidden + i] = weight[o * 2 * hidden + 2 * i + 1];
    }
  });
  PackedWeight packed;
  const Packing packing{unwoven, hidden, 2 * hidden, nullptr, &packed};
  pack_weights({&packing, 1}, is_backward, workers);
  return packed;
}

void add_woven(const float* unwoven, std::size_t hidden, float* weight, TrainingWorkers& workers) {
  workers.pool.parallel_for(hidden, [&](std::size_t o, int) noexcept {
    for (std::size_t i = 0; i < hidden; ++i) {
      weight[o * 2 * hidden + 2 * i] += unwoven[o * 2 * hidden + i];
      weight[o * 2 * hidden + 2 * i + 1] += unwoven[o * 2 * hidden + hidden + i];
    }
  });
}

/// Merged rows [first, first + count) as [count, 2 hidden].
void gather_pairs(const MergePlan& plan, const float* x, std::size_t first, std::size_t count, std::size_t hidden,
                  float* pairs) {
  BF_DCHECK_LE(2 * (first + count), plan.pairs.size());
  for (std::size_t i = 0; i < 2 * count; ++i) {
    const std::int32_t row = plan.pairs[2 * first + i];
    if (row >= 0) {
      std::copy_n(x + static_cast<std::size_t>(row) * hidden, hidden, pairs + i * hidden);
    } else {
      std::fill_n(pairs + i * hidden, hidden, 0.0f);
    }
  }
}

std::size_t num_tasks(std::size_t rows) { return (rows + kTaskRows - 1) / kTaskRows; }

}  // namespace

void merge_forward(const MergeShape& shape, const MergeWeights& weights, const MergePlan& plan, const float* x,
                   MergeMemory& memory, float* y, TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  const std::size_t rows = plan.num_merged();
  BF_DCHECK_EQ(c % kernels::kRowAlignment, 0);
  BF_DCHECK_LE(rows * c, memory.size());
  workers.shared.reserve(4 * c * c);
  const PackedWeight packed = pack_reduction(weights.reduction_weight, c, /*is_backward=*/false, workers);
  workers.reserve_each(kTaskRows * 2 * c);
  workers.pool.parallel_for(num_tasks(rows), [&](std::size_t task, int worker) noexcept {
    const std::size_t first = task * kTaskRows;
    const std::size_t count = std::min(kTaskRows, rows - first);
    Arena& arena = workers.arena(worker);
    arena.clear();
    float* pairs = arena.take(count * 2 * c);
    gather_pairs(plan, x, first, count, c, pairs);
    multiply(pairs, count, packed, memory.data() + first * c, workers.kernels);
    workers.kernels.layer_norm(memory.data() + first * c, nullptr, count, c, weights.norm_weight, weights.norm_bias,
                               shape.layer_norm_eps, y + first * c);
  });
}

void merge_backward(const MergeShape& shape, const MergeWeights& weights, const MergePlan& plan, const float* x,
                    const MergeMemory& memory, const float* d_y, float* d_x, const MergeGradients& gradients,
                    TrainingWorkers& workers) {
  const std::size_t c = shape.hidden_size;
  const std::size_t rows = plan.num_merged();
  BF_DCHECK_EQ(c % kernels::kRowAlignment, 0);
  BF_DCHECK_LE(rows * c, memory.size());
  const std::size_t tasks = num_tasks(rows);
  const std::size_t chunk_rows = std::min(rows, kPairChunkRows);
  workers.shared.reserve(6 * c * c);
  Arena& operands = workers.next_operands();
  operands.reserve(chunk_rows * 3 * c);
  const PackedWeight packed = pack_reduction(weights.reduction_weight, c, /*is_backward=*/true, workers);
  float* d_unwoven = workers.shared.take(2 * c * c);
  std::fill_n(d_unwoven, 2 * c * c, 0.0f);

  WeightGradient product{.out_features = c, .in_features = 2 * c, .d_weight = d_unwoven};
  product.d_y = operands.take(chunk_rows * c);
  product.x = operands.take(chunk_rows * 2 * c);
  std::vector<float> sums(tasks * 2 * c);  // of each task: gamma, beta
  workers.reserve_each(kTaskRows * 4 * c);
  for (std::size_t chunk = 0; chunk < rows; chunk += kPairChunkRows) {
    const std::size_t in_chunk = std::min(kPairChunkRows, rows - chunk);
    product.rows = in_chunk;
    workers.parallel_for(num_tasks(in_chunk), [&](std::size_t task, int worker) noexcept {
      const std::size_t at = task * kTaskRows;
      const std::size_t first = chunk + at;
      const std::size_t count = std::min(kTaskRows, rows - first);
      float* sum = sums.data() + first / kTaskRows * 2 * c;
      Arena& arena = workers.arena(worker);
      arena.clear();
      float* pairs = arena.take(count * 2 * c);
      float* d_pairs = arena.take(count * 2 * c);
      float* d_reduced = product.d_y_from(at);
      workers.training.layer_norm_backward({.x = memory.data() + first * c,
                                            .d_out = d_y + first * c,
                                            .rows = count,
                                            .hidden = c,
                                            .gamma = weights.norm_weight,
                                            .eps = shape.layer_norm_eps,
                                            .d_x = d_reduced,
                                            .d_gamma = sum,
                                            .d_beta = sum + c});
      gather_pairs(plan, x, first, count, c, pairs);
      product.pack_x(pairs, at, count, workers);
      multiply(d_reduced, count, packed, d_pairs, workers.kernels);
      for (std::size_t i = 0; i < 2 * count; ++i)
        if (const std::int32_t row = plan.pairs[2 * first + i]; row >= 0)
          std::copy_n(d_pairs + i * c, c, d_x + static_cast<std::size_t>(row) * c);
    });
    add_later({&product, 1}, workers);
    workers.finish();
  }
  add_woven(d_unwoven, c, gradients.reduction_weight, workers);
  for (std::size_t task = 0; task < tasks; ++task)
    for (std::size_t i = 0; i < c; ++i) {
      gradients.norm_weight[i] += sums[task * 2 * c + i];
      gradients.norm_bias[i] += sums[task * 2 * c + c + i];
    }
}

}  // namespace byteformer::backprop
