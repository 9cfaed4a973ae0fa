// Every kernel of every instruction set against double-precision loops, with inputs that end at a guard page.
#include "kernels/kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "byteformer/error.hpp"
#include "support/guarded_buffer.hpp"

namespace byteformer::kernels {
namespace {

using test::GuardedBuffer;
using Random = std::mt19937;

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr std::size_t kSizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65, 97};

void fill(GuardedBuffer<float>& buffer, Random& random, float deviation = 1.0f) {
  std::normal_distribution<float> normal(0.0f, deviation);
  for (float& value : buffer) value = normal(random);
}

double gelu(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& kernels() const { return *GetParam(); }
  Random random_{5};
};

struct Product {
  std::size_t rows, depth, width;
};

/// c = a b^T-form weights + bias against the naive sum; the tolerance is that of `depth` roundings of each partial sum.
void check_product(const Kernels& kernels, Product shape, Epilogue epilogue, Random& random) {
  GuardedBuffer<float> a(shape.rows * shape.depth), weight(shape.width * shape.depth);
  GuardedBuffer<float> packed(packed_size(shape.depth, shape.width)), bias(padded(shape.width));
  GuardedBuffer<float> c((shape.rows + 2) * padded(shape.width)), before(c.size());
  std::vector<std::int32_t> c_rows(shape.rows);
  for (std::size_t r = 0; r < shape.rows; ++r) c_rows[r] = static_cast<std::int32_t>(shape.rows + 1 - r);
  fill(a, random);
  fill(weight, random);
  fill(c, random);
  fill(bias, random);
  std::fill(bias.begin() + shape.width, bias.end(), 0.0f);
  std::copy(c.begin(), c.end(), before.begin());
  kernels.pack(weight.data(), shape.depth, shape.width, 1, shape.depth, packed.data());
  kernels.matmul({.a = a.data(),
                  .a_stride = shape.depth,
                  .rows = shape.rows,
                  .b = packed.data(),
                  .depth = shape.depth,
                  .width = shape.width,
                  .bias = bias.data(),
                  .c = c.data(),
                  .c_stride = padded(shape.width),
                  .c_rows = c_rows.data(),
                  .epilogue = epilogue});
  for (std::size_t r = 0; r < shape.rows; ++r) {
    for (std::size_t n = 0; n < shape.width; ++n) {
      const std::size_t at = (shape.rows + 1 - r) * padded(shape.width) + n;
      double sum = bias[n];
      double magnitude = std::abs(static_cast<double>(bias[n]));
      for (std::size_t k = 0; k < shape.depth; ++k) {
        const double term = static_cast<double>(a[r * shape.depth + k]) * weight[n * shape.depth + k];
        sum += term;
        magnitude += std::abs(term);
      }
      double tolerance = static_cast<double>(shape.depth + 2) * kEpsilon * magnitude;
      if (epilogue == Epilogue::kAdd) {
        sum += before[at];
        tolerance += kEpsilon * (magnitude + std::abs(static_cast<double>(before[at])));
      }
      if (epilogue == Epilogue::kGelu) {
        sum = gelu(sum);
        tolerance = 1.2 * tolerance + 4e-7 * std::max(1.0, magnitude);
      }
      ASSERT_NEAR(c[at], sum, tolerance) << kernels.name << " " << shape.rows << "x" << shape.depth << "x"
                                         << shape.width << " at " << r << ", " << n;
    }
  }
}

TEST_P(KernelsTest, MatmulOfEveryShape) {
  for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kGelu})
    for (std::size_t rows = 1; rows <= 17; ++rows)
      for (const std::size_t width : kSizes)
        check_product(kernels(), {rows, 1 + (rows * width) % 37, width}, epilogue, random_);
  check_product(kernels(), {33, 768, 192}, Epilogue::kAdd, random_);
  check_product(kernels(), {0, 16, 16}, Epilogue::kStore, random_);
}

TEST_P(KernelsTest, MatmulRowsDoNotDependOnTheirTile) {
  const Product shape{19, 45, 75};
  GuardedBuffer<float> a(shape.rows * shape.depth), weight(shape.width * shape.depth);
  GuardedBuffer<float> packed(packed_size(shape.depth, shape.width)), c(shape.rows * padded(shape.width));
  GuardedBuffer<float> single(padded(shape.width));
  fill(a, random_);
  fill(weight, random_);
  kernels().pack(weight.data(), shape.depth, shape.width, 1, shape.depth, packed.data());
  MatmulArgs args{.a = a.data(),
                  .a_stride = shape.depth,
                  .rows = shape.rows,
                  .b = packed.data(),
                  .depth = shape.depth,
                  .width = shape.width,
                  .c = c.data(),
                  .c_stride = padded(shape.width),
                  .epilogue = Epilogue::kGelu};
  kernels().matmul(args);
  for (std::size_t r = 0; r < shape.rows; ++r) {
    args.a = a.data() + r * shape.depth;
    args.rows = 1;
    args.c = single.data();
    kernels().matmul(args);
    ASSERT_TRUE(std::equal(single.begin(), single.end(), c.begin() + r * padded(shape.width))) << "row " << r;
  }
}

TEST_P(KernelsTest, LayerNormOfEverySize) {
  for (const std::size_t hidden : kSizes) {
    const std::size_t rows = 5;
    GuardedBuffer<float> x(rows * padded(hidden)), out(rows * padded(hidden));
    GuardedBuffer<float> gamma(padded(hidden)), beta(padded(hidden));
    fill(gamma, random_);
    fill(beta, random_);
    std::fill(gamma.begin() + hidden, gamma.end(), 0.0f);
    std::fill(beta.begin() + hidden, beta.end(), 0.0f);
    fill(x, random_, 3.0f);
    for (std::size_t r = 0; r < rows; ++r)
      std::fill(x.begin() + r * padded(hidden) + hidden, x.begin() + (r + 1) * padded(hidden), 0.0f);
    const std::int32_t order[] = {3, 0, 4, 1, 2};
    kernels().layer_norm(x.data(), order, rows, hidden, gamma.data(), beta.data(), 1e-5f, out.data());
    for (std::size_t r = 0; r < rows; ++r) {
      const float* from = x.data() + static_cast<std::size_t>(order[r]) * padded(hidden);
      double mean = 0, variance = 0;
      for (std::size_t c = 0; c < hidden; ++c) mean += from[c] / static_cast<double>(hidden);
      for (std::size_t c = 0; c < hidden; ++c)
        variance += (from[c] - mean) * (from[c] - mean) / static_cast<double>(hidden);
      for (std::size_t c = 0; c < hidden; ++c) {
        const double normed = (from[c] - mean) / std::sqrt(variance + 1e-5);
        const double expected = normed * gamma[c] + beta[c];
        // The mean's rounding error is magnified by 1 / sqrt(variance + eps).
        const double tolerance = 8 * kEpsilon *
                                 (std::abs(expected) + std::abs(beta[c]) +
                                  std::abs(gamma[c]) * (1 + (std::abs(mean) + 3) / std::sqrt(variance + 1e-5)));
        ASSERT_NEAR(out[r * padded(hidden) + c], expected, tolerance) << kernels().name << " hidden " << hidden;
      }
      for (std::size_t c = hidden; c < padded(hidden); ++c) ASSERT_EQ(out[r * padded(hidden) + c], 0.0f);
    }
  }
}

struct AttentionShape {
  std::size_t rows, heads, head_dim, filler;
};

void check_attention(const Kernels& kernels, AttentionShape shape, Random& random) {
  const std::size_t hidden = shape.heads * shape.head_dim;
  const std::size_t stride = padded(3 * hidden);
  GuardedBuffer<float> qkv(shape.rows * stride), filler(padded(3 * hidden)), out(shape.rows * padded(hidden));
  GuardedBuffer<float> scratch(attention_scratch_size(shape.rows, shape.head_dim));
  fill(qkv, random);
  fill(filler, random);
  kernels.attend({.qkv = qkv.data(),
                  .qkv_stride = stride,
                  .rows = shape.rows,
                  .hidden = hidden,
                  .num_heads = shape.heads,
                  .num_filler = shape.filler,
                  .filler_qkv = filler.data(),
                  .out = out.data(),
                  .out_stride = padded(hidden),
                  .scratch = scratch.data()});
  const auto row = [&](std::size_t r) { return r < shape.rows ? qkv.data() + r * stride : filler.data(); };
  for (std::size_t head = 0; head < shape.heads; ++head) {
    for (std::size_t i = 0; i < shape.rows; ++i) {
      std::vector<double> weights;
      double sum = 0;
      for (std::size_t j = 0; j < shape.rows + shape.filler; ++j) {
        double score = 0;
        for (std::size_t c = 0; c < shape.head_dim; ++c)
          score += static_cast<double>(row(i)[head * shape.head_dim + c]) * row(j)[hidden + head * shape.head_dim + c];
        weights.push_back(std::exp(score / std::sqrt(static_cast<double>(shape.head_dim))));
        sum += weights.back();
      }
      for (std::size_t c = 0; c < shape.head_dim; ++c) {
        double expected = 0, magnitude = 0;
        for (std::size_t j = 0; j < weights.size(); ++j) {
          const double term = weights[j] / sum * row(j)[2 * hidden + head * shape.head_dim + c];
          expected += term;
          magnitude += std::abs(term);
        }
        // Scores of a few units are rounded before exp: relative error of a weight of some dozen epsilons.
        const double tolerance = 64 * kEpsilon * (magnitude + 1e-3) * std::sqrt(static_cast<double>(weights.size()));
        ASSERT_NEAR(out[i * padded(hidden) + head * shape.head_dim + c], expected, tolerance)
            << kernels.name << " rows " << shape.rows << " filler " << shape.filler;
      }
    }
  }
}

TEST_P(KernelsTest, AttentionOfEveryShape) {
  for (const std::size_t rows : {1, 2, 7, 8, 9, 16, 17, 33, 64, 128})
    for (const std::size_t filler : {0, 1, 5, 200})
      for (const std::size_t head_dim : {1, 4, 6, 16, 20, 64})
        check_attention(kernels(), {rows, 1 + rows % 3, head_dim, filler}, random_);
}

TEST_P(KernelsTest, TableSums) {
  for (const std::size_t hidden : {1, 16, 20, 48, 64, 80, 192}) {
    for (const std::size_t kernel_size : {1, 2, 4, 32}) {
      const std::size_t stride = std::max<std::size_t>(1, kernel_size / 2), vocab = 257, tokens = 7,
                        size = padded(hidden);
      GuardedBuffer<float> table(kernel_size * vocab * size), positions(tokens * size), out(tokens * size);
      GuardedBuffer<std::uint16_t> ids((tokens - 1) * stride + kernel_size);
      fill(table, random_);
      fill(positions, random_);
      for (auto& id : ids) id = static_cast<std::uint16_t>(random_() % vocab);
      ids[ids.size() - 1] = 256;
      kernels().sum_table_rows({.table = table.data(),
                                .kernel_size = kernel_size,
                                .vocab = vocab,
                                .stride = stride,
                                .row_size = size,
                                .ids = ids.data(),
                                .tokens = tokens,
                                .positions = positions.data(),
                                .out = out.data()});
      for (std::size_t t = 0; t < tokens; ++t) {
        for (std::size_t c = 0; c < size; ++c) {
          double expected = positions[t * size + c], magnitude = std::abs(expected);
          for (std::size_t j = 0; j < kernel_size; ++j) {
            const double term = table[(j * vocab + ids[t * stride + j]) * size + c];
            expected += term;
            magnitude += std::abs(term);
          }
          ASSERT_NEAR(out[t * size + c], expected, static_cast<double>(kernel_size + 1) * kEpsilon * magnitude);
        }
      }
    }
  }
}

TEST_P(KernelsTest, ExpWithinItsBound) {
  GuardedBuffer<float> x(16), y(16);
  for (double start = -100; start < 80; start += 0.0137) {
    for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<float>(start + 0.00081 * static_cast<double>(i));
    kernels().exp(x.data(), 16, y.data());
    for (std::size_t i = 0; i < 16; ++i) {
      const double expected = std::exp(static_cast<double>(x[i]));
      if (x[i] < -87.3f)
        ASSERT_EQ(y[i], 0.0f);
      else
        ASSERT_NEAR(y[i] / expected, 1.0, 2e-7) << x[i];
    }
  }
}

TEST_P(KernelsTest, GeluWithinItsBound) {
  GuardedBuffer<float> x(16), y(16);
  for (double start = -12; start < 12; start += 0.0011) {
    for (std::size_t i = 0; i < 16; ++i) x[i] = static_cast<float>(start + 0.00007 * static_cast<double>(i));
    kernels().gelu(x.data(), 16, y.data());
    for (std::size_t i = 0; i < 16; ++i)
      ASSERT_NEAR(y[i], gelu(x[i]), 3e-7 * std::max(1.0, std::abs(static_cast<double>(x[i])))) << x[i];
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelsTest,
                         ::testing::ValuesIn(available_kernels().begin(), available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST(DefaultKernels, EnvironmentChooses) {
  for (const Kernels* kernels : available_kernels()) {
    ::setenv("BYTEFORMER_KERNELS", kernels->name, 1);
    EXPECT_EQ(&default_kernels(), kernels);
  }
  ::setenv("BYTEFORMER_KERNELS", "abacus", 1);
  try {
    default_kernels();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    for (const Kernels* kernels : available_kernels())
      EXPECT_NE(std::string(error.what()).find(kernels->name), std::string::npos) << error.what();
  }
  ::unsetenv("BYTEFORMER_KERNELS");
  EXPECT_EQ(&default_kernels(), available_kernels().front());
}

}  // namespace
}  // namespace byteformer::kernels
