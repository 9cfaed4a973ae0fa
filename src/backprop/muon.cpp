// Orthogonalizes by Newton-Schulz iterations, which are products alone.
#include "backprop/muon.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace byteformer::backprop {
namespace {

/// Parts of the scratch that starts at `begin`, for a matrix X of `height` rows that are at least as long, `width`.
struct Scratch {
  Scratch(std::size_t rows, std::size_t columns, float* begin)
      : height(std::min(rows, columns)), width(std::max(rows, columns)) {
    const auto take = [&](std::size_t num_floats) {
      float* taken = begin == nullptr ? nullptr : begin + size;
      size += kernels::padded(num_floats);
      return taken;
    };
    x = take(height * x_stride());
    packed = take(std::max(kernels::packed_size(width, height), kernels::packed_size(height, width)));
    gram = take(height * gram_stride()), polynomial = take(height * gram_stride());
    product = take(height * gram_stride()), product_of_all = take(height * gram_stride());
  }

  std::size_t x_stride() const { return kernels::padded(width); }
  std::size_t gram_stride() const { return kernels::padded(height); }

  std::size_t height, width, size = 0;
  float *x, *packed;
  float *gram, *polynomial, *product, *product_of_all;  // [height, gram_stride]
};

/// c = a b for a [height, depth] and the matrix [depth, width] that is packed.
void multiply_by_packed(const Scratch& s, const float* a, std::size_t depth, std::size_t width, float* c,
                        const kernels::Kernels& kernels) noexcept {
  kernels.matmul({.a = a,
                  .a_stride = kernels::padded(depth),
                  .rows = s.height,
                  .b = s.packed,
                  .depth = depth,
                  .width = width,
                  .c = c,
                  .c_stride = kernels::padded(width)});
}

/// c = a b for square matrices; c may be b.
void multiply_squares(const Scratch& s, const float* a, const float* b, float* c,
                      const kernels::Kernels& kernels) noexcept {
  kernels.pack(b, s.height, s.height, s.gram_stride(), 1, s.packed);
  multiply_by_packed(s, a, s.height, s.height, c, kernels);
}

/// X becomes P5 P4 P3 P2 P1 X. Each P = a + b G + c G G is a polynomial of G = X X^T as the ones before have left it, so
/// G becomes P G P and X, which is longer, is multiplied once.
void orthogonalize(const Scratch& s, const kernels::Kernels& kernels) noexcept {
  kernels.pack(s.x, s.width, s.height, 1, s.x_stride(), s.packed);
  multiply_by_packed(s, s.x, s.width, s.height, s.gram, kernels);
  const std::size_t size = s.height * s.gram_stride();
  for (int i = 0; i < kMuonIterations; ++i) {
    multiply_squares(s, s.gram, s.gram, s.polynomial, kernels);
    for (std::size_t j = 0; j < size; ++j) s.polynomial[j] = kMuonQuintic * s.polynomial[j] + kMuonCubic * s.gram[j];
    for (std::size_t j = 0; j < s.height; ++j) s.polynomial[j * s.gram_stride() + j] += kMuonLinear;
    if (i == 0) {
      std::copy_n(s.polynomial, size, s.product_of_all);
    } else {
      multiply_squares(s, s.polynomial, s.product_of_all, s.product_of_all, kernels);
    }
    if (i == kMuonIterations - 1) break;
    multiply_squares(s, s.polynomial, s.gram, s.product, kernels);
    multiply_squares(s, s.polynomial, s.product, s.gram, kernels);
  }
  kernels.pack(s.x, s.height, s.width, s.x_stride(), 1, s.packed);
  multiply_by_packed(s, s.product_of_all, s.height, s.width, s.x, kernels);
}

/// Calls body(element, element of X), where X is transposed if its rows are the shorter. In squares, for the cache.
template <typename Body>
void for_each_element(const MuonArgs& args, const Scratch& s, const Body& body) {
  constexpr std::size_t kSide = 16;
  const bool is_tall = args.rows > args.columns;
  for (std::size_t row = 0; row < args.rows; row += kSide)
    for (std::size_t column = 0; column < args.columns; column += kSide)
      for (std::size_t i = row; i < std::min(row + kSide, args.rows); ++i)
        for (std::size_t j = column; j < std::min(column + kSide, args.columns); ++j)
          body(i * args.columns + j, s.x[is_tall ? j * s.x_stride() + i : i * s.x_stride() + j]);
}

}  // namespace

float muon_scale(std::size_t rows, std::size_t columns) noexcept {
  return 0.2f * std::sqrt(static_cast<float>(std::max(rows, columns)));
}

std::size_t muon_scratch_size(std::size_t rows, std::size_t columns) noexcept {
  float* const nowhere = nullptr;
  return Scratch(rows, columns, nowhere).size;
}

void muon_step(const MuonArgs& args, const kernels::Kernels& kernels, float* scratch) noexcept {
  BF_DCHECK(scratch != nullptr);
  const Scratch s(args.rows, args.columns, scratch);
  std::fill_n(s.x, s.height * s.x_stride(), 0.0f);
  double sum = 0;
  for_each_element(args, s, [&](std::size_t i, float& x) {
    const float gradient = args.gradients[i] * args.gradient_scale;
    args.gradients[i] = 0;
    args.momentum[i] = args.beta * args.momentum[i] + gradient;
    x = args.beta * args.momentum[i] + gradient;
    sum += static_cast<double>(x) * static_cast<double>(x);
  });
  const auto inverse_norm = static_cast<float>(1 / (std::sqrt(sum) + 1e-30));  // where all is zero, it stays zero
  for (std::size_t i = 0; i < s.height * s.x_stride(); ++i) s.x[i] *= inverse_norm;
  orthogonalize(s, kernels);
  for_each_element(args, s, [&](std::size_t i, const float& x) {
    args.weights[i] = args.weights[i] * args.decay - args.step_size * x;
    args.average[i] += args.average_momentum * (args.weights[i] - args.average[i]);
  });
}

}  // namespace byteformer::backprop
