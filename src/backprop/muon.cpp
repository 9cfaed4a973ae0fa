// Orthogonalizes by Newton-Schulz iterations, which are products alone.
#include "backprop/muon.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.hpp"

namespace byteformer::backprop {
namespace {

constexpr std::size_t kBlock = 48;  // columns of a symmetric product that are computed at once: panels are full there

/// Parts of the scratch that starts at `begin`.
struct Scratch {
  Scratch(std::size_t num_rows, std::size_t num_columns, float* begin)
      : rows(num_rows), columns(num_columns), side(std::min(rows, columns)) {
    const auto take = [&](std::size_t num_floats) {
      float* taken = begin == nullptr ? nullptr : begin + size;
      size += kernels::padded(num_floats);
      return taken;
    };
    x = take(rows * x_stride());
    if (is_tall()) transposed = take(std::max(columns * kernels::padded(rows), rows * x_stride()));
    packed = take(std::max(kernels::packed_size(std::max(rows, columns), std::min(side, kBlock)),
                           kernels::packed_size(side, columns)));
    for (float** square : {&gram, &polynomial, &product, &product_of_all}) *square = take(side * stride());
  }

  bool is_tall() const { return rows > columns; }
  std::size_t x_stride() const { return kernels::padded(columns); }
  std::size_t stride() const { return kernels::padded(side); }

  std::size_t rows, columns, side, size = 0;
  float *x, *transposed = nullptr;  // [rows, x_stride]; [columns, padded(rows)], then the product of all by X
  float* packed;
  float *gram, *polynomial, *product, *product_of_all;  // [side, stride]
};

/// to[j, i] = from[i, j] for the given numbers of i and j. In squares, for the cache.
void transpose(const float* from, std::size_t from_stride, std::size_t rows, std::size_t columns, float* to,
               std::size_t to_stride) noexcept {
  constexpr std::size_t kSide = 16;
  for (std::size_t row = 0; row < rows; row += kSide)
    for (std::size_t column = 0; column < columns; column += kSide)
      for (std::size_t j = column; j < std::min(column + kSide, columns); ++j)
        for (std::size_t i = row; i < std::min(row + kSide, rows); ++i)
          to[j * to_stride + i] = from[i * from_stride + j];
}

/// A matrix of the scratch: element (i, j) is data[i * row_stride + j * column_stride].
struct View {
  const float* data;
  std::size_t row_stride, column_stride;
};

/// c = a b, [side, depth] by [depth, side], where that is symmetric: half of it is computed. c may be b's data.
void multiply_symmetric(const Scratch& s, const float* a, std::size_t depth, const View& b, float* c,
                        const kernels::Kernels& kernels) noexcept {
  for (std::size_t first = 0; first < s.side; first += kBlock) {
    const std::size_t width = std::min(kBlock, s.side - first), last = first + width;
    kernels.pack(b.data + first * b.column_stride, depth, width, b.row_stride, b.column_stride, s.packed);
    kernels.matmul({.a = a,
                    .a_stride = kernels::padded(depth),
                    .rows = last,
                    .b = s.packed,
                    .depth = depth,
                    .width = width,
                    .c = c + first,
                    .c_stride = s.stride()});
    transpose(c + first, s.stride(), first, width, c + first * s.stride(), s.stride());
    for (std::size_t j = first; j < last; ++j)
      for (std::size_t i = first; i < j; ++i) c[j * s.stride() + i] = c[i * s.stride() + j];
  }
}

/// c = a b for squares that commute and are symmetric, as polynomials of one are.
void multiply_squares(const Scratch& s, const float* a, const float* b, float* c,
                      const kernels::Kernels& kernels) noexcept {
  multiply_symmetric(s, a, s.side, {b, s.stride(), 1}, c, kernels);
}

/// gram = X X^T, or X^T X where X is tall.
void multiply_by_own(const Scratch& s, const kernels::Kernels& kernels) noexcept {
  if (!s.is_tall()) return multiply_symmetric(s, s.x, s.columns, {s.x, 1, s.x_stride()}, s.gram, kernels);
  transpose(s.x, s.x_stride(), s.rows, s.columns, s.transposed, kernels::padded(s.rows));
  multiply_symmetric(s, s.transposed, s.rows, {s.x, s.x_stride(), 1}, s.gram, kernels);
}

/// P5 P4 P3 P2 P1 X, or X P1 P2 P3 P4 P5 where X is tall. Each P = a + b G + c G G is a polynomial of the gram matrix G
/// as the ones before have left it, so G becomes P G P and X, which is longer, is multiplied once.
/// \returns where the result is, in rows of x_stride()
const float* orthogonalize(const Scratch& s, const kernels::Kernels& kernels) noexcept {
  multiply_by_own(s, kernels);
  const std::size_t size = s.side * s.stride();
  for (int i = 0; i < kMuonIterations; ++i) {
    multiply_squares(s, s.gram, s.gram, s.polynomial, kernels);
    for (std::size_t j = 0; j < size; ++j) s.polynomial[j] = kMuonQuintic * s.polynomial[j] + kMuonCubic * s.gram[j];
    for (std::size_t j = 0; j < s.side; ++j) s.polynomial[j * s.stride() + j] += kMuonLinear;
    if (i == 0) {
      std::copy_n(s.polynomial, size, s.product_of_all);
    } else {
      multiply_squares(s, s.polynomial, s.product_of_all, s.product_of_all, kernels);
    }
    if (i == kMuonIterations - 1) break;
    multiply_squares(s, s.polynomial, s.gram, s.product, kernels);
    multiply_squares(s, s.polynomial, s.product, s.gram, kernels);
  }
  kernels.pack(s.is_tall() ? s.product_of_all : s.x, s.side, s.columns, s.x_stride(), 1, s.packed);
  float* const result = s.is_tall() ? s.transposed : s.x;
  kernels.matmul({.a = s.is_tall() ? s.x : s.product_of_all,
                  .a_stride = s.stride(),
                  .rows = s.rows,
                  .b = s.packed,
                  .depth = s.side,
                  .width = s.columns,
                  .c = result,
                  .c_stride = s.x_stride()});
  return result;
}

/// The root of the sum of squares of rows of x_stride() floats, whose padding is zero.
double norm(const Scratch& s) noexcept {
  std::array<double, 4> sums{};  // side by side
  for (std::size_t i = 0; i < s.rows * s.x_stride(); i += sums.size())
    for (std::size_t lane = 0; lane < sums.size(); ++lane)
      sums[lane] += static_cast<double>(s.x[i + lane]) * static_cast<double>(s.x[i + lane]);
  return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/// Moves the momentum. \returns the gradient of element i, scaled, which is zero afterwards
float take_gradient(const MuonArgs& args, std::size_t i) noexcept {
  const float gradient = args.gradients[i] * args.gradient_scale;
  args.gradients[i] = 0;
  args.momentum[i] = args.beta * args.momentum[i] + gradient;
  return gradient;
}

}  // namespace

float muon_scale(std::size_t rows, std::size_t columns) noexcept {
  return 0.2f * std::sqrt(static_cast<float>(std::max(rows, columns)));
}

std::size_t muon_scratch_size(std::size_t rows, std::size_t columns) noexcept {
  float* const nowhere = nullptr;
  return Scratch(rows, columns, nowhere).size;
}

void muon_direction(const MuonArgs& args, const kernels::Kernels& kernels, float* scratch, float* direction) noexcept {
  BF_DCHECK(scratch != nullptr);
  const Scratch s(args.rows, args.columns, scratch);
  std::fill_n(scratch, s.size, 0.0f);
  for (std::size_t row = 0; row < args.rows; ++row) {
    for (std::size_t column = 0; column < args.columns; ++column) {
      const std::size_t i = row * args.columns + column;
      const float gradient = take_gradient(args, i);
      s.x[row * s.x_stride() + column] = args.beta * args.momentum[i] + gradient;
    }
  }
  const auto inverse_norm = static_cast<float>(1 / (norm(s) + 1e-30));  // where all is zero, it stays zero
  for (std::size_t i = 0; i < args.rows * s.x_stride(); ++i) s.x[i] *= inverse_norm;
  const float* const rows = orthogonalize(s, kernels);
  for (std::size_t row = 0; row < args.rows; ++row)
    std::copy_n(rows + row * s.x_stride(), args.columns, direction + row * args.columns);
}

void muon_momentum(const MuonArgs& args) noexcept {
  for (std::size_t i = 0; i < args.rows * args.columns; ++i) take_gradient(args, i);
}

void muon_move(const MuonArgs& args, const float* direction) noexcept {
  for (std::size_t i = 0; i < args.rows * args.columns; ++i) {
    args.weights[i] = args.weights[i] * args.decay - args.step_size * direction[i];
    args.average[i] += args.average_momentum * (args.weights[i] - args.average[i]);
  }
}

}  // namespace byteformer::backprop
