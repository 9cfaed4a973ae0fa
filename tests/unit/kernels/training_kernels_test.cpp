// Packed operands and products summed over rows, of every instruction set, against double-precision loops.
#include "kernels/training_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

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
void pack_in_two(void (*pack)(const PackRowsArgs&) noexcept, GuardedBuffer<float>& rows, std::size_t depth,
                 std::size_t width, std::size_t cut, GuardedBuffer<float>& packed) {
  for (const auto& [first, last] : {std::pair(cut, depth), std::pair(std::size_t{0}, cut)})
    pack({.source = rows.data() + first * width,
          .stride = width,
          .rows = last - first,
          .width = width,
          .packed = packed.data(),
          .depth = depth,
          .first_row = first});
}

class TrainingKernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const TrainingKernels& kernels() const { return training_kernels_for(*GetParam()); }
  Random random_{7};
};

void check_outer_product(const TrainingKernels& kernels, Outer shape, std::size_t cut, Random& random) {
  GuardedBuffer<float> a(shape.depth * shape.height), b(shape.depth * shape.width), c(shape.height * shape.width);
  GuardedBuffer<float> packed_a(a.size()), packed_b(b.size()), before(c.size());
  fill(a, random);
  fill(b, random);
  fill(c, random);
  std::copy(c.begin(), c.end(), before.begin());
  pack_in_two(kernels.pack_rows, a, shape.depth, shape.height, cut, packed_a);
  pack_in_two(kernels.pack_columns, b, shape.depth, shape.width, cut, packed_b);
  for (std::size_t column = 0; column < shape.width; column += kOuterColumns)
    kernels.add_outer_product({.a = packed_a.data(),
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

INSTANTIATE_TEST_SUITE_P(InstructionSets, TrainingKernelsTest,
                         ::testing::ValuesIn(available_kernels().begin(), available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace byteformer::kernels
