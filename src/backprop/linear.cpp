// Packs weights for products, and cuts the products that become their gradients into parts that wait.
#include "backprop/linear.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::backprop {

void pack_weights(std::span<const Packing> packings, bool is_backward, TrainingWorkers& workers) {
  for (const Packing& p : packings) {
    BF_DCHECK_EQ(p.out_features % kernels::kRowAlignment, 0);
    BF_DCHECK_EQ(p.in_features % kernels::kRowAlignment, 0);
    float* data = workers.shared.take(p.out_features * p.in_features);
    *p.to = is_backward ? PackedWeight{data, p.out_features, p.in_features}
                        : PackedWeight{data, p.in_features, p.out_features, p.bias};
  }
  workers.pool.parallel_for(packings.size(), [&](std::size_t i, int) noexcept {
    const Packing& p = packings[i];
    const std::size_t depth_stride = is_backward ? p.in_features : 1;
    const std::size_t width_stride = is_backward ? 1 : p.in_features;
    workers.kernels.pack(p.weight, p.to->depth, p.to->width, depth_stride, width_stride, p.to->data);
  });
}

void multiply(const float* a, std::size_t rows, const PackedWeight& b, float* c, const kernels::Kernels& kernels,
              kernels::Epilogue epilogue, const std::int32_t* c_rows) noexcept {
  BF_DCHECK_EQ(b.width % kernels::kRowAlignment, 0);
  BF_DCHECK(b.data != nullptr && c != nullptr);
  kernels.matmul({.a = a,
                  .a_stride = b.depth,
                  .rows = rows,
                  .b = b.data,
                  .depth = b.depth,
                  .width = b.width,
                  .bias = b.bias,
                  .c = c,
                  .c_stride = b.width,
                  .c_rows = c_rows,
                  .epilogue = epilogue});
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
