// Backward passes that treat rows one by one, and products summed over rows, compiled once an instruction set.
#if defined(BYTEFORMER_KERNELS_TRAINING_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_TRAINING_INL
#undef BYTEFORMER_KERNELS_TRAINING_INL
#else
#define BYTEFORMER_KERNELS_TRAINING_INL
#endif

#include <hwy/highway.h>

#include <cmath>

#include "kernels/math-inl.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/training_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

inline void pack_rows(const PackRowsArgs& args) noexcept {
  // A cache line of a row at a time, from rows that are few enough for the first-level cache and its page table; all
  // tiles at once would be as many streams, which hinder each other where `depth` is a power of two.
  constexpr std::size_t kBlockRows = 64;
  for (std::size_t begin = 0; begin < args.rows; begin += kBlockRows) {
    const std::size_t end = std::min(args.rows, begin + kBlockRows);
    for (std::size_t line = 0; line < args.width; line += kRowAlignment)
      for (std::size_t k = begin; k < end; ++k)
        for (std::size_t column = line; column < line + kRowAlignment; column += kTileRows)
          std::copy_n(args.source + k * args.stride + column, kTileRows,
                      args.packed + column * args.depth + (args.first_row + k) * kTileRows);
  }
}

inline void pack_columns(const PackRowsArgs& args) noexcept {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t begin = 0; begin < args.width; begin += kOuterColumns) {
    for_each_panel(std::min(kOuterColumns, args.width - begin), [&](std::size_t first, std::size_t count) {
      const std::size_t column = begin + first * lanes;
      const std::size_t columns = count * lanes;
      float* panel = args.packed + column * args.depth + args.first_row * columns;
      for (std::size_t k = 0; k < args.rows; ++k)
        for (std::size_t n = 0; n < columns; n += lanes)
          hn::StoreU(hn::LoadU(d, args.source + k * args.stride + column + n), d, panel + k * columns + n);
    });
  }
}

template <std::size_t kVectors>
void outer_panel(const OuterArgs& args, std::size_t first_vector) {
  const std::size_t column = first_vector * hn::Lanes(Floats());
  float* c[kTileRows];
  for (std::size_t row = 0; row < args.height; row += kTileRows) {
    for (std::size_t r = 0; r < kTileRows; ++r) c[r] = args.c + (row + r) * args.c_stride + column;
    tile<kTileRows, kVectors, Epilogue::kAdd, kTileRows>(args.a + row * args.depth, 1, args.b + column * args.depth,
                                                         args.depth, nullptr, c);
  }
}

inline void add_outer_product(const OuterArgs& args) noexcept {
  for_each_panel(args.width, [&](std::size_t first, std::size_t count) {
    switch (count) {
      case 1: outer_panel<1>(args, first); break;
      case 2: outer_panel<2>(args, first); break;
      default: outer_panel<3>(args, first); break;
    }
  });
}

/// One row: with x' = (x - mean) / deviation and g = d_out gamma, d_x = (g - mean(g) - x' mean(g x')) / deviation.
HWY_INLINE void layer_norm_backward_row(const LayerNormBackwardArgs& args, std::size_t r) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const float inverse_size = 1.0f / static_cast<float>(args.hidden);
  const float* x = args.x + (args.x_rows != nullptr ? static_cast<std::size_t>(args.x_rows[r]) : r) * args.hidden;
  float* d_x = args.d_x + (args.d_x_rows != nullptr ? static_cast<std::size_t>(args.d_x_rows[r]) : r) * args.hidden;
  const float* d_out = args.d_out + r * args.hidden;

  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < args.hidden; i += lanes) sum = hn::Add(sum, hn::LoadU(d, x + i));
  const auto mean = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)) * inverse_size);
  auto squares = hn::Zero(d);
  auto products = hn::Zero(d);  // of g and x - mean
  auto gradients = hn::Zero(d);
  for (std::size_t i = 0; i < args.hidden; i += lanes) {
    const auto difference = hn::Sub(hn::LoadU(d, x + i), mean);
    const auto g = hn::Mul(hn::LoadU(d, d_out + i), hn::LoadU(d, args.gamma + i));
    squares = hn::MulAdd(difference, difference, squares);
    products = hn::MulAdd(g, difference, products);
    gradients = hn::Add(gradients, g);
  }
  const float variance = hn::GetLane(hn::SumOfLanes(d, squares)) * inverse_size;
  const float inverse_deviation = 1.0f / std::sqrt(variance + args.eps);
  const auto scale = hn::Set(d, inverse_deviation);
  const auto mean_g = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, gradients)) * inverse_size);
  const auto mean_gx = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, products)) * inverse_deviation * inverse_size);
  for (std::size_t i = 0; i < args.hidden; i += lanes) {
    const auto normed = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean), scale);
    const auto out = hn::LoadU(d, d_out + i);
    hn::StoreU(hn::MulAdd(out, normed, hn::LoadU(d, args.d_gamma + i)), d, args.d_gamma + i);
    hn::StoreU(hn::Add(out, hn::LoadU(d, args.d_beta + i)), d, args.d_beta + i);
    const auto g = hn::Mul(out, hn::LoadU(d, args.gamma + i));
    auto result = hn::Mul(hn::NegMulAdd(normed, mean_gx, hn::Sub(g, mean_g)), scale);
    if (args.residual != nullptr) result = hn::Add(result, hn::LoadU(d, args.residual + r * args.hidden + i));
    hn::StoreU(result, d, d_x + i);
  }
}

inline void layer_norm_backward(const LayerNormBackwardArgs& args) noexcept {
  for (std::size_t r = 0; r < args.rows; ++r) layer_norm_backward_row(args, r);
}

/// gelu'(x) = Phi(x) + x phi(x).
inline void gelu_backward(const float* x, std::size_t count, float* y, float* d_y) noexcept {
  const Floats d;
  const auto half = hn::Set(d, 0.5f);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, x + i);
    const auto phi_sum = hn::MulAdd(half, erf_vector(hn::Mul(value, hn::Set(d, 0.70710678118654752f))), half);
    const auto density =
        hn::Mul(exp_vector(hn::Mul(hn::Mul(value, value), hn::Set(d, -0.5f))), hn::Set(d, 0.39894228040143268f));
    hn::StoreU(hn::Mul(value, phi_sum), d, y + i);
    hn::StoreU(hn::Mul(hn::LoadU(d, d_y + i), hn::MulAdd(value, density, phi_sum)), d, d_y + i);
  }
}

inline void add_column_sums(const float* x, std::size_t rows, std::size_t width, float* sums) noexcept {
  const Floats d;
  for (std::size_t i = 0; i < width; i += hn::Lanes(d)) {
    auto sum = hn::LoadU(d, sums + i);
    for (std::size_t r = 0; r < rows; ++r) sum = hn::Add(sum, hn::LoadU(d, x + r * width + i));
    hn::StoreU(sum, d, sums + i);
  }
}

inline void add_table_gradient(const TableGradientArgs& args) noexcept {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t j = args.first_tap; j < args.last_tap; ++j) {
    float* tap = args.d_table + j * args.vocab * args.row_size;
    for (std::size_t t = 0; t < args.tokens; ++t) {
      float* row = tap + args.ids[t * args.stride + j] * args.row_size;
      const float* from = args.d_out + t * args.row_size;
      for (std::size_t i = 0; i < args.row_size; i += lanes)
        hn::StoreU(hn::Add(hn::LoadU(d, row + i), hn::LoadU(d, from + i)), d, row + i);
    }
  }
}

/// The elements [i, i + lanes) of the arrays.
HWY_INLINE void adamw_vector(const AdamWArgs& args, float* w, float* g, float* m, float* v, float* average) {
  const Floats d;
  const auto gradient = hn::Mul(hn::LoadU(d, g), hn::Set(d, args.gradient_scale));
  const auto first = hn::MulAdd(hn::Set(d, args.beta1), hn::LoadU(d, m), hn::Mul(hn::Set(d, 1 - args.beta1), gradient));
  const auto second = hn::MulAdd(hn::Set(d, args.beta2), hn::LoadU(d, v),
                                 hn::Mul(hn::Mul(hn::Set(d, 1 - args.beta2), gradient), gradient));
  const auto root = hn::MulAdd(hn::Sqrt(second), hn::Set(d, args.inverse_root_bias2), hn::Set(d, args.eps));
  const auto decayed = hn::Mul(hn::LoadU(d, w), hn::Set(d, args.decay));
  const auto weight = hn::NegMulAdd(hn::Set(d, args.step_size), hn::Div(first, root), decayed);
  const auto old_average = hn::LoadU(d, average);
  hn::StoreU(hn::Zero(d), d, g);
  hn::StoreU(first, d, m);
  hn::StoreU(second, d, v);
  hn::StoreU(weight, d, w);
  hn::StoreU(hn::MulAdd(hn::Set(d, args.momentum), hn::Sub(weight, old_average), old_average), d, average);
}

inline void adamw(const AdamWArgs& args) noexcept {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + lanes <= args.count; i += lanes)
    adamw_vector(args, args.weights + i, args.gradients + i, args.first_moment + i, args.second_moment + i,
                 args.average + i);
  if (i == args.count) return;
  // The last few elements pass through full vectors.
  HWY_ALIGN float tail[5][HWY_MAX_BYTES / sizeof(float)] = {};
  float* const arrays[5] = {args.weights, args.gradients, args.first_moment, args.second_moment, args.average};
  const std::size_t rest = args.count - i;
  for (std::size_t a = 0; a < 5; ++a) std::copy_n(arrays[a] + i, rest, tail[a]);
  adamw_vector(args, tail[0], tail[1], tail[2], tail[3], tail[4]);
  for (std::size_t a = 0; a < 5; ++a) std::copy_n(tail[a], rest, arrays[a] + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
