// Backward passes that treat rows one by one, and products summed over rows, compiled once per instruction set.
#if defined(BYTEFORMER_KERNELS_TRAINING_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_TRAINING_INL
#undef BYTEFORMER_KERNELS_TRAINING_INL
#else
#define BYTEFORMER_KERNELS_TRAINING_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "kernels/math-inl.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/training_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

/// Calls body(column, columns) for each panel of a matrix packed by columns: it holds that many columns from `column`
/// on, row after row, and begins at column * depth.
template <typename Body>
HWY_INLINE void for_each_column_panel(std::size_t width, const Body& body) {
  const std::size_t lanes = hn::Lanes(Floats());
  for (std::size_t begin = 0; begin < width; begin += kOuterColumns)
    for_each_panel(std::min(kOuterColumns, width - begin),
                   [&](std::size_t first, std::size_t count) HWY_ATTR { body(begin + first * lanes, count * lanes); });
}

/// Row `row` of the panel above, where the kernel's row 0 is y.first_row.
HWY_INLINE float* panel_row(const PackedColumns& y, std::size_t column, std::size_t columns, std::size_t row) {
  return y.data + column * y.depth + (y.first_row + row) * columns;
}

inline void pack_columns(const PackColumnsArgs& args) noexcept {
  BF_DCHECK_EQ(args.width % kRowAlignment, 0);
  BF_DCHECK_LE(args.to.first_row + args.rows, args.to.depth);
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  for_each_column_panel(args.width, [&](std::size_t column, std::size_t columns) HWY_ATTR {
    for (std::size_t k = 0; k < args.rows; ++k)
      for (std::size_t n = 0; n < columns; n += lanes)
        hn::StoreU(hn::LoadU(d, args.source + k * args.width + column + n), d,
                   panel_row(args.to, column, columns, k) + n);
  });
}

// Rows of a and b that a product over rows takes at a time. Where a tile is four rows high, four tiles share each cache
// line of a, and so few rows stay in the first-level cache for all four. Higher tiles do better to fetch lines ahead.
#if HWY_TARGET == HWY_AVX3
inline constexpr std::size_t kOuterDepth = std::numeric_limits<std::size_t>::max();
inline constexpr bool kFetchesColumns = true;
#else
inline constexpr std::size_t kOuterDepth = 64;
inline constexpr bool kFetchesColumns = false;
#endif

template <std::size_t kVectors>
void outer_panel(const OuterArgs& args, std::size_t first_vector) {
  const std::size_t lanes = hn::Lanes(Floats());
  const std::size_t column = first_vector * lanes;
  const float* panel = args.b + column * args.depth;
  float* c[kTileRows];
  for (std::size_t k = 0; k < args.depth; k += kOuterDepth) {
    const std::size_t depth = std::min(kOuterDepth, args.depth - k);
    for (std::size_t row = 0; row < args.height; row += kTileRows) {
      for (std::size_t r = 0; r < kTileRows; ++r) c[r] = args.c + (row + r) * args.c_stride + column;
      tile<kTileRows, kVectors, Epilogue::kAdd, kFetchesColumns>(args.a + k * args.a_stride + row, 1, args.a_stride,
                                                                 panel + k * kVectors * lanes, depth, nullptr, c);
    }
  }
}

inline void add_outer_product(const OuterArgs& args) noexcept {
  BF_DCHECK_EQ(args.height % kRowAlignment, 0);
  BF_DCHECK_EQ(args.width % kRowAlignment, 0);
  BF_DCHECK_LE(args.height, args.a_stride);
  BF_DCHECK_LE(args.width, args.c_stride);
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
  const auto finish = [&](std::size_t i) HWY_ATTR {  // the gradients of a vector of columns; gives x'
    const auto normed = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean), scale);
    const auto out = hn::LoadU(d, d_out + i);
    hn::StoreU(hn::MulAdd(out, normed, hn::LoadU(d, args.d_gamma + i)), d, args.d_gamma + i);
    hn::StoreU(hn::Add(out, hn::LoadU(d, args.d_beta + i)), d, args.d_beta + i);
    const auto g = hn::Mul(out, hn::LoadU(d, args.gamma + i));
    auto result = hn::Mul(hn::NegMulAdd(normed, mean_gx, hn::Sub(g, mean_g)), scale);
    if (args.residual != nullptr) result = hn::Add(result, hn::LoadU(d, args.residual + r * args.hidden + i));
    hn::StoreU(result, d, d_x + i);
    return normed;
  };
  if (args.y.data == nullptr) {
    for (std::size_t i = 0; i < args.hidden; i += lanes) finish(i);
    return;
  }
  for_each_column_panel(args.hidden, [&](std::size_t column, std::size_t columns) HWY_ATTR {
    float* y = panel_row(args.y, column, columns, r);
    for (std::size_t i = column; i < column + columns; i += lanes, y += lanes)
      hn::StoreU(hn::MulAdd(finish(i), hn::LoadU(d, args.gamma + i), hn::LoadU(d, args.beta + i)), d, y);
  });
}

inline void layer_norm_backward(const LayerNormBackwardArgs& args) noexcept {
  BF_DCHECK_EQ(args.hidden % kRowAlignment, 0);
  BF_DCHECK(args.y.data == nullptr || (args.beta != nullptr && args.y.first_row + args.rows <= args.y.depth));
  for (std::size_t r = 0; r < args.rows; ++r) layer_norm_backward_row(args, r);
}

/// One vector: y = gelu(x) and d_y *= gelu'(x) = Phi(x) + x phi(x).
HWY_INLINE void gelu_backward_vector(const float* x, float* y, float* d_y) {
  const Floats d;
  const auto half = hn::Set(d, 0.5f);
  const auto value = hn::LoadU(d, x);
  const auto phi_sum = hn::MulAdd(half, erf_vector(hn::Mul(value, hn::Set(d, 0.70710678118654752f))), half);
  const auto density =
      hn::Mul(exp_vector(hn::Mul(hn::Mul(value, value), hn::Set(d, -0.5f))), hn::Set(d, 0.39894228040143268f));
  hn::StoreU(hn::Mul(value, phi_sum), d, y);
  hn::StoreU(hn::Mul(hn::LoadU(d, d_y), hn::MulAdd(value, density, phi_sum)), d, d_y);
}

inline void gelu_backward(const GeluBackwardArgs& args) noexcept {
  BF_DCHECK_EQ(args.width % kRowAlignment, 0);
  BF_DCHECK_LE(args.y.first_row + args.rows, args.y.depth);
  // x comes from memory: long pieces of few rows arrive sooner than a column of many.
  constexpr std::size_t kFewRows = 8;
  const std::size_t lanes = hn::Lanes(Floats());
  for (std::size_t first = 0; first < args.rows; first += kFewRows)
    for_each_column_panel(args.width, [&](std::size_t column, std::size_t columns) HWY_ATTR {
      for (std::size_t r = first; r < std::min(first + kFewRows, args.rows); ++r) {
        float* y = panel_row(args.y, column, columns, r);
        const std::size_t at = r * args.width + column;
        for (std::size_t n = 0; n < columns; n += lanes) gelu_backward_vector(args.x + at + n, y + n, args.d + at + n);
      }
    });
}

/// sums[0 ... kVectors vectors) += the columns of x below them.
template <std::size_t kVectors>
HWY_INLINE void add_columns(const float* x, std::size_t rows, std::size_t width, float* sums) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector totals[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) totals[v] = hn::LoadU(d, sums + v * lanes);
  for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) totals[v] = hn::Add(totals[v], hn::LoadU(d, x + r * width + v * lanes));
  }
  for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(totals[v], d, sums + v * lanes);
}

inline void add_column_sums(const float* x, std::size_t rows, std::size_t width, float* sums) noexcept {
  BF_DCHECK_EQ(width % kRowAlignment, 0);
  constexpr std::size_t kBlock = 8;
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + kBlock * lanes <= width; i += kBlock * lanes) add_columns<kBlock>(x + i, rows, width, sums + i);
  for (; i < width; i += lanes) add_columns<1>(x + i, rows, width, sums + i);
}

inline void add_table_gradient(const TableGradientArgs& args) noexcept {
  BF_DCHECK_EQ(args.row_size % kRowAlignment, 0);
  BF_DCHECK_LE(args.first_tap, args.last_tap);
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
