// Implementation of linear.hpp.
#include "backprop/linear.hpp"

#include <algorithm>

namespace byteformer::backprop {
namespace {

// Columns of a weight's gradient that one task computes: what one pass over the packed rows yields.
constexpr std::size_t kTaskColumns = 48;
constexpr std::size_t kPackColumns = 64;

}  // namespace

void pack_weights(std::span<const Packing> packings, Workers& workers) {
  workers.pool.parallel_for(packings.size(), [&](std::size_t i, int) noexcept {
    const Packing& p = packings[i];
    if (p.is_backward) {
      workers.kernels.pack(p.weight, p.out_features, p.in_features, p.in_features, 1, p.packed);
    } else {
      workers.kernels.pack(p.weight, p.in_features, p.out_features, 1, p.in_features, p.packed);
    }
  });
}

void multiply(const Product& product, const kernels::Kernels& kernels) noexcept {
  kernels.matmul({.a = product.a,
                  .a_stride = product.depth,
                  .rows = product.rows,
                  .b = product.packed,
                  .depth = product.depth,
                  .width = product.width,
                  .bias = product.bias,
                  .c = product.c,
                  .c_stride = product.width,
                  .c_rows = product.c_rows,
                  .epilogue = product.epilogue});
}

void add_weight_gradients(std::span<const WeightGradient> gradients, Workers& workers) {
  struct Task {
    const WeightGradient* gradient;
    const float* packed_d_y;
    std::size_t column;
  };
  struct PackTask {
    const WeightGradient* gradient;
    float* packed_d_y;
    std::size_t column;
  };
  std::vector<Task> tasks;
  std::vector<PackTask> pack_tasks;
  std::size_t packed_size = 0;
  std::size_t most_rows = 0;
  for (const WeightGradient& g : gradients) packed_size += g.rows * g.out_features;
  workers.packed.reserve(packed_size);
  for (const WeightGradient& g : gradients) {
    float* packed = workers.packed.take(g.rows * g.out_features);
    most_rows = std::max(most_rows, g.rows);
    for (std::size_t column = 0; column < g.out_features; column += kPackColumns)
      pack_tasks.push_back({&g, packed, column});
    for (std::size_t column = 0; column < g.in_features; column += kTaskColumns) tasks.push_back({&g, packed, column});
  }
  workers.reserve_each(most_rows * kTaskColumns);
  workers.pool.parallel_for(pack_tasks.size(), [&](std::size_t i, int) noexcept {
    const auto& [g, packed, column] = pack_tasks[i];
    const std::size_t columns = std::min(kPackColumns, g->out_features - column);
    workers.training.pack_rows(g->d_y + column, g->out_features, g->rows, columns, packed + column * g->rows);
  });
  workers.pool.parallel_for(tasks.size(), [&](std::size_t i, int worker) noexcept {
    const auto& [g, packed_d_y, column] = tasks[i];
    const std::size_t columns = std::min(kTaskColumns, g->in_features - column);
    Arena& arena = workers.arena(worker);
    arena.clear();
    float* packed_x = arena.take(g->rows * columns);
    workers.kernels.pack(g->x + column, g->rows, columns, g->in_features, 1, packed_x);
    workers.training.add_outer_product({.a = packed_d_y,
                                        .b = packed_x,
                                        .depth = g->rows,
                                        .height = g->out_features,
                                        .width = columns,
                                        .c = g->d_weight + column,
                                        .c_stride = g->in_features});
  });
}

}  // namespace byteformer::backprop
