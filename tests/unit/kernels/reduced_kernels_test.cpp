// The kernels of lower precision against double-precision products, within what rounding to so few bits may cost.
#include "kernels/reduced_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "byteformer/error.hpp"
#include "support/errors.hpp"
#include "support/guarded_buffer.hpp"

namespace byteformer::kernels {
namespace {

using test::GuardedBuffer;
using Random = std::mt19937;

struct Case {
  const Kernels* kernels;
  const ReducedKernels* reduced;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Kernels* kernels : available_kernels())
    for (const ReducedKernels* reduced : available_reduced_kernels(*kernels)) cases.push_back({kernels, reduced});
  return cases;
}

struct Shape {
  std::size_t rows, depth, width;
};

/// A product with everything it needs, each piece ending at a guard page.
struct Product {
  Product(const ReducedKernels& kernels, Shape shape)
      : x(shape.rows * padded(shape.depth)),
        weight(shape.width * shape.depth),
        packed(kernels.groups(shape.depth) * padded(shape.width)),
        groups(shape.rows * kernels.groups(shape.depth)),
        scales(padded(shape.width)),
        sums(padded(shape.width)),
        bias(padded(shape.width)),
        c((shape.rows + 2) * padded(shape.width)),
        ranges(shape.rows),
        c_rows(shape.rows),
        kernels_(kernels),
        shape_(shape) {
    for (std::size_t r = 0; r < shape.rows; ++r) c_rows[r] = static_cast<std::int32_t>(shape.rows + 1 - r);
  }

  /// Random rows and weights, some of which stick out; the padding is zero.
  void fill(Random& random) {
    std::normal_distribution<float> normal;
    for (std::size_t r = 0; r < shape_.rows; ++r)
      for (std::size_t k = 0; k < shape_.depth; ++k)
        x[r * padded(shape_.depth) + k] = normal(random) * (random() % 16 == 0 ? 8.0f : 1.0f) + 0.5f;
    for (float& value : weight) value = normal(random);
    for (std::size_t n = 0; n < shape_.width; ++n) bias[n] = normal(random);
    for (float& value : c) value = normal(random);
  }

  void run(Epilogue epilogue) {
    kernels_.pack(weight.data(), shape_.depth, shape_.width, packed.data(), scales.data(), sums.data());
    kernels_.reduce_rows(x.data(), padded(shape_.depth), shape_.rows, shape_.depth, groups.data(), ranges.data());
    kernels_.matmul(args(epilogue));
  }

  ReducedMatmulArgs args(Epilogue epilogue) {
    return {.a = groups.data(),
            .ranges = ranges.data(),
            .rows = shape_.rows,
            .b = packed.data(),
            .column_scales = scales.data(),
            .column_sums = sums.data(),
            .groups = kernels_.groups(shape_.depth),
            .width = shape_.width,
            .bias = bias.data(),
            .c = c.data(),
            .c_stride = padded(shape_.width),
            .c_rows = c_rows.data(),
            .epilogue = epilogue};
  }

  const float* row_of(std::size_t r) { return c.data() + static_cast<std::size_t>(c_rows[r]) * padded(shape_.width); }

  GuardedBuffer<float> x, weight;
  GuardedBuffer<std::uint32_t> packed, groups;
  GuardedBuffer<float> scales, sums, bias, c;
  GuardedBuffer<RowRange> ranges;
  std::vector<std::int32_t> c_rows;

 private:
  const ReducedKernels& kernels_;
  Shape shape_;
};

/// How far a value of a row, or of a column, may be from what stands for it: half a step.
struct Rounding {
  double absolute = 0;
  double relative = 0;
  double of(double value) const { return 1.0001 * (absolute + relative * std::abs(value)); }
};

Rounding rounding(const ReducedKernels& kernels, double smallest, double largest, double levels) {
  if (kernels.precision == Precision::kBfloat16) return {.absolute = 0, .relative = std::ldexp(1.0, -8)};
  return {.absolute = (std::max(0.0, largest) - std::min(0.0, smallest)) / levels / 2, .relative = 1e-6};
}

void check_product(const ReducedKernels& kernels, Shape shape, Epilogue epilogue, Random& random) {
  Product product(kernels, shape);
  product.fill(random);
  const std::vector<float> before(product.c.begin(), product.c.end());
  product.run(epilogue);
  for (std::size_t r = 0; r < shape.rows; ++r) {
    const float* x = product.x.data() + r * padded(shape.depth);
    const auto [low, high] = std::minmax_element(x, x + shape.depth);
    const double row_levels = std::string_view(kernels.name) == "int8_vnni" ? 255 : 127;
    const Rounding of_row = rounding(kernels, *low, *high, row_levels);
    for (std::size_t n = 0; n < shape.width; ++n) {
      const float* w = product.weight.data() + n * shape.depth;
      double largest = 0;
      for (std::size_t k = 0; k < shape.depth; ++k) largest = std::max(largest, std::abs(static_cast<double>(w[k])));
      const Rounding of_column = rounding(kernels, -largest, largest, 254);
      double expected = product.bias[n], magnitude = std::abs(expected), tolerance = 0;
      for (std::size_t k = 0; k < shape.depth; ++k) {
        const double a = x[k], b = w[k];
        expected += a * b;
        magnitude += std::abs(a * b) + std::abs(*low * b);
        tolerance += of_row.of(a) * std::abs(b) + of_column.of(b) * (std::abs(a) + of_row.of(a));
      }
      tolerance += static_cast<double>(shape.depth + 8) * std::numeric_limits<float>::epsilon() * magnitude;
      const std::size_t at = static_cast<std::size_t>(product.c_rows[r]) * padded(shape.width) + n;
      if (epilogue == Epilogue::kAdd) expected += before[at];
      if (epilogue == Epilogue::kGelu) {
        expected *= 0.5 * (1 + std::erf(expected / std::sqrt(2.0)));
        tolerance = 1.2 * tolerance + 4e-7 * std::max(1.0, std::abs(expected));
      }
      ASSERT_NEAR(product.c[at], expected, tolerance)
          << kernels.name << " " << shape.rows << "x" << shape.depth << "x" << shape.width << " at " << r << ", " << n;
    }
  }
}

class ReducedKernelsTest : public ::testing::TestWithParam<Case> {
 protected:
  const ReducedKernels& kernels() const { return *GetParam().reduced; }
  Random random_{5};
};

TEST_P(ReducedKernelsTest, ProductsOfEveryShape) {
  for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kGelu})
    for (std::size_t rows = 1; rows <= 17; ++rows)
      for (const std::size_t width : {1, 3, 15, 16, 17, 31, 33, 48, 49, 65, 97})
        check_product(kernels(), {rows, 1 + (rows * width) % 37, width}, epilogue, random_);
  check_product(kernels(), {33, 768, 192}, Epilogue::kAdd, random_);
  check_product(kernels(), {0, 16, 16}, Epilogue::kStore, random_);
}

TEST_P(ReducedKernelsTest, LargestSumsDoNotSaturate) {
  const Shape shape{3, 1024, 40};
  Product product(kernels(), shape);
  for (float& value : product.x) value = 1;
  for (std::size_t i = 0; i < product.weight.size(); ++i) product.weight[i] = i / shape.depth % 2 == 0 ? 1.0f : -1.0f;
  product.run(Epilogue::kStore);
  for (std::size_t r = 0; r < shape.rows; ++r)
    for (std::size_t n = 0; n < shape.width; ++n)
      ASSERT_NEAR(product.row_of(r)[n], n % 2 == 0 ? 1024.0 : -1024.0, 1e-2) << n;
}

TEST_P(ReducedKernelsTest, RowsOfZerosAndColumnsOfZerosGiveTheBias) {
  const Shape shape{2, 20, 17};
  Product product(kernels(), shape);
  product.fill(random_);
  std::fill(product.x.begin(), product.x.begin() + padded(shape.depth), 0.0f);    // row 0
  std::fill(product.weight.begin(), product.weight.begin() + shape.depth, 0.0f);  // column 0
  product.run(Epilogue::kStore);
  for (std::size_t n = 0; n < shape.width; ++n) EXPECT_EQ(product.row_of(0)[n], product.bias[n]);
  EXPECT_EQ(product.row_of(1)[0], product.bias[0]);
}

TEST_P(ReducedKernelsTest, RowsDoNotDependOnTheirTile) {
  const Shape shape{19, 45, 75};
  Product product(kernels(), shape);
  product.fill(random_);
  product.run(Epilogue::kGelu);
  GuardedBuffer<float> single(padded(shape.width));
  for (std::size_t r = 0; r < shape.rows; ++r) {
    kernels().reduce_rows(product.x.data() + r * padded(shape.depth), padded(shape.depth), 1, shape.depth,
                          product.groups.data(), product.ranges.data());
    ReducedMatmulArgs args = product.args(Epilogue::kGelu);
    args.rows = 1;
    args.c = single.data();
    args.c_rows = nullptr;
    kernels().matmul(args);
    ASSERT_TRUE(std::equal(single.begin(), single.end(), product.row_of(r))) << "row " << r;
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReducedKernelsTest);
INSTANTIATE_TEST_SUITE_P(All, ReducedKernelsTest, ::testing::ValuesIn(all_cases()), [](const auto& test) {
  return std::string(test.param.kernels->name) + "_" + test.param.reduced->name;
});

TEST(ReducedKernelsChoice, IsTheFirstOfItsPrecisionOrSaysWhatIsMissing) {
  for (const Kernels* kernels : available_kernels()) {
    EXPECT_EQ(reduced_kernels_for(*kernels, Precision::kFloat32), nullptr);
    for (const Precision precision : {Precision::kInt8, Precision::kBfloat16}) {
      const auto all = available_reduced_kernels(*kernels);
      const auto first =
          std::find_if(all.begin(), all.end(), [&](const auto* reduced) { return reduced->precision == precision; });
      if (first != all.end()) {
        EXPECT_EQ(reduced_kernels_for(*kernels, precision), *first);
      } else {
        test::expect_error(ErrorCode::kUnsupported, {to_string(precision), kernels->name, "Use float32"},
                           [&] { reduced_kernels_for(*kernels, precision); });
      }
    }
  }
}

}  // namespace
}  // namespace byteformer::kernels
