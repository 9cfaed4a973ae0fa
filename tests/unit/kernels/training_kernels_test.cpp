// Packed operands and products summed over rows, of every instruction set, against double-precision loops.
#include "kernels/training_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "byteformer/error.hpp"
#include "kernels/kernels.hpp"
#include "support/guarded_buffer.hpp"

namespace byteformer::kernels {
namespace {

using test::GuardedBuffer;
using Random = std::mt19937;

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

void fill(GuardedBuffer<float>& buffer, Random& random) {
  std::normal_distribution<float> normal;
  for (float& value : buffer) value = normal(random);
}

struct Outer {
  std::size_t depth, height, width;
};

/// Packs `rows` in two calls that meet at `cut`, the later rows first.
void pack_in_two(const TrainingKernels& kernels, GuardedBuffer<float>& rows, std::size_t depth, std::size_t width,
                 std::size_t cut, GuardedBuffer<float>& packed) {
  for (const auto& [first, last] : {std::pair(cut, depth), std::pair(std::size_t{0}, cut)})
    kernels.pack_columns({.source = rows.data() + first * width,
                          .rows = last - first,
                          .width = width,
                          .to = {.data = packed.data(), .depth = depth, .first_row = first}});
}

class TrainingKernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const TrainingKernels& kernels() const { return training_kernels_for(*GetParam()); }
  Random random_{7};
};

void check_outer_product(const TrainingKernels& kernels, Outer shape, std::size_t cut, Random& random) {
  GuardedBuffer<float> a(shape.depth * shape.height), b(shape.depth * shape.width), c(shape.height * shape.width);
  GuardedBuffer<float> packed_b(b.size()), before(c.size());
  fill(a, random);
  fill(b, random);
  fill(c, random);
  std::copy(c.begin(), c.end(), before.begin());
  pack_in_two(kernels, b, shape.depth, shape.width, cut, packed_b);
  for (std::size_t column = 0; column < shape.width; column += kOuterColumns)
    kernels.add_outer_product({.a = a.data(),
                               .a_stride = shape.height,
                               .b = packed_b.data() + column * shape.depth,
                               .depth = shape.depth,
                               .height = shape.height,
                               .width = std::min(kOuterColumns, shape.width - column),
                               .c = c.data() + column,
                               .c_stride = shape.width});
  for (std::size_t i = 0; i < shape.height; ++i)
    for (std::size_t j = 0; j < shape.width; ++j) {
      double sum = before[i * shape.width + j];
      double magnitude = std::abs(sum);
      for (std::size_t k = 0; k < shape.depth; ++k) {
        const double term = static_cast<double>(a[k * shape.height + i]) * b[k * shape.width + j];
        sum += term;
        magnitude += std::abs(term);
      }
      ASSERT_NEAR(c[i * shape.width + j], sum, static_cast<double>(shape.depth + 1) * kEpsilon * magnitude)
          << "element " << i << ", " << j;
    }
}

TEST_P(TrainingKernelsTest, AddsOuterProductsOfRowsThatWerePackedInPieces) {
  for (const std::size_t depth : {1, 2, 7, 64, 65, 130})
    for (const std::size_t height : {16, 48, 64})
      for (const std::size_t width : {16, 32, 48, 64, 80, 112}) {
        SCOPED_TRACE(::testing::Message() << depth << " rows, " << height << " x " << width);
        check_outer_product(kernels(), {depth, height, width}, depth / 3, random_);
      }
}

/// Expects in `packed` what pack_columns makes of `rows`, and the rest as it was.
void expect_packed(const TrainingKernels& kernels, const PackColumnsArgs& rows, GuardedBuffer<float>& packed) {
  GuardedBuffer<float> expected(packed.size());
  std::copy(packed.begin(), packed.end(), expected.begin());
  PackColumnsArgs args = rows;
  args.to.data = expected.data();
  kernels.pack_columns(args);
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(packed[i], expected[i]) << "element " << i;
}

TEST_P(TrainingKernelsTest, NormalisesAgainInTheBackwardPassToTheSameBits) {
  constexpr std::size_t kRows = 5, kDepth = 8, kFirst = 2;
  for (const std::size_t hidden : {16, 48, 96, 192}) {
    GuardedBuffer<float> x(kRows * hidden), d_out(x.size()), d_x(x.size()), y(x.size()), packed(kDepth * hidden);
    GuardedBuffer<float> gamma(hidden), beta(hidden), d_gamma(hidden), d_beta(hidden);
    for (auto* buffer : {&x, &d_out, &packed, &gamma, &beta}) fill(*buffer, random_);
    GetParam()->layer_norm(x.data(), nullptr, kRows, hidden, gamma.data(), beta.data(), 1e-5f, y.data());
    kernels().layer_norm_backward({.x = x.data(),
                                   .d_out = d_out.data(),
                                   .rows = kRows,
                                   .hidden = hidden,
                                   .gamma = gamma.data(),
                                   .eps = 1e-5f,
                                   .d_x = d_x.data(),
                                   .d_gamma = d_gamma.data(),
                                   .d_beta = d_beta.data(),
                                   .beta = beta.data(),
                                   .y = {packed.data(), kDepth, kFirst}});
    expect_packed(kernels(), {y.data(), kRows, hidden, {nullptr, kDepth, kFirst}}, packed);
  }
}

TEST_P(TrainingKernelsTest, GivesGeluAndItsDerivative) {
  constexpr std::size_t kRows = 5, kWidth = 64, kDepth = 8, kFirst = 2;
  GuardedBuffer<float> x(kRows * kWidth), d(x.size()), y(x.size()), packed(kDepth * kWidth);
  fill(x, random_);
  fill(d, random_);
  std::vector<float> d_y(d.begin(), d.end());
  kernels().gelu_backward(
      {.x = x.data(), .rows = kRows, .width = kWidth, .d = d.data(), .y = {packed.data(), kDepth, kFirst}});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = x[i];
    const double phi_sum = 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
    const double density = std::exp(-value * value / 2) / std::sqrt(2 * std::acos(-1.0));
    ASSERT_NEAR(d[i], d_y[i] * (phi_sum + value * density), 1e-5) << value;
    y[i] = static_cast<float>(value * phi_sum);
  }
  GuardedBuffer<float> expected(packed.size());
  kernels().pack_columns({y.data(), kRows, kWidth, {expected.data(), kDepth, kFirst}});
  for (std::size_t i = 0; i < packed.size(); ++i) ASSERT_NEAR(packed[i], expected[i], 1e-5) << "element " << i;
}

TEST_P(TrainingKernelsTest, StepsLeaveGradientsOfZero) {
  for (const std::size_t count : {1, 15, 16, 33}) {
    GuardedBuffer<float> weights(count), gradients(count), first(count), second(count), average(count);
    for (auto* buffer : {&weights, &gradients, &average}) fill(*buffer, random_);
    const std::vector<float> g(gradients.begin(), gradients.end());
    kernels().adamw({.count = count,
                     .weights = weights.data(),
                     .gradients = gradients.data(),
                     .first_moment = first.data(),
                     .second_moment = second.data(),
                     .average = average.data(),
                     .beta1 = 0.75f,
                     .beta2 = 0.5f,
                     .step_size = 1e-3f,
                     .inverse_root_bias2 = 1,
                     .eps = 1e-8f});
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(gradients[i], 0.0f);
      EXPECT_EQ(first[i], 0.25f * g[i]);
    }
  }
}

TEST(TrainingKernelsFor, AreThoseOfTheSameInstructionSetOrNone) {
  for (const Kernels* kernels : available_kernels()) EXPECT_STREQ(training_kernels_for(*kernels).name, kernels->name);
  Kernels unknown = *available_kernels().front();
  unknown.name = "unknown";
  EXPECT_THROW(training_kernels_for(unknown), Error);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, TrainingKernelsTest,
                         ::testing::ValuesIn(available_kernels().begin(), available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace byteformer::kernels
