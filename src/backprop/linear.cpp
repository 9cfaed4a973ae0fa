// Packs weights for products, and cuts the products that become their gradients into parts that wait.
#include "backprop/linear.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::backprop {
void pack_weights(std::span<const Packing> packings, TrainingWorkers& workers) {
  workers.pool.parallel_for(packings.size(), [&](std::size_t i, int) noexcept {
    const Packing& p = packings[i];
    BF_DCHECK_EQ(p.out_features % kernels::kRowAlignment, 0);
    BF_DCHECK_EQ(p.in_features % kernels::kRowAlignment, 0);
    if (p.is_backward) {
      workers.kernels.pack(p.weight, p.out_features, p.in_features, p.in_features, 1, p.packed);
    } else {
      workers.kernels.pack(p.weight, p.in_features, p.out_features, 1, p.in_features, p.packed);
    }
  });
}

void multiply(const Product& product, const kernels::Kernels& kernels) noexcept {
  BF_DCHECK_EQ(product.width % kernels::kRowAlignment, 0);
  BF_DCHECK(product.packed != nullptr && product.c != nullptr);
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

void add_later(std::span<const WeightGradient> gradients, TrainingWorkers& workers) {
  BF_DCHECK(workers.waiting.empty());
  for (const WeightGradient& g : gradients)
    for (std::size_t column = 0; column < g.in_features; column += kernels::kOuterColumns)
      workers.waiting.push_back({.a = g.d_y,
                                 .a_stride = g.out_features,
                                 .b = g.x + column * g.rows,
                                 .depth = g.rows,
                                 .height = g.out_features,
                                 .width = std::min(kernels::kOuterColumns, g.in_features - column),
                                 .c = g.d_weight + column,
                                 .c_stride = g.in_features});
}

}  // namespace byteformer::backprop
