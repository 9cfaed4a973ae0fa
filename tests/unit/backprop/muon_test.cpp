// Muon's step against its definition in double precision, and what it promises: all directions move alike.
#include "backprop/muon.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "support/random_model.hpp"

namespace byteformer::backprop {
namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<double>(b.front().size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b.front().size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix transposed(const Matrix& a) {
  Matrix t(a.front().size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.front().size(); ++j) t[j][i] = a[i][j];
  return t;
}

/// a X + b (X X^T) X + c (X X^T)^2 X five times, from X of norm 1.
Matrix orthogonal(Matrix x) {
  double sum = 0;
  for (const auto& row : x)
    for (const double v : row) sum += v * v;
  for (auto& row : x)
    for (double& v : row) v /= std::sqrt(sum);
  for (int i = 0; i < 5; ++i) {
    const Matrix cubic = product(product(x, transposed(x)), x);
    const Matrix quintic = product(product(x, transposed(x)), cubic);
    for (std::size_t r = 0; r < x.size(); ++r)
      for (std::size_t c = 0; c < x[r].size(); ++c)
        x[r][c] = 3.4445 * x[r][c] - 4.7750 * cubic[r][c] + 2.0315 * quintic[r][c];
  }
  return x;
}

/// A matrix and what moves with it.
struct MovedMatrix {
  MovedMatrix(std::int64_t num_rows, std::int64_t num_columns, test::Random& random)
      : rows(static_cast<std::size_t>(num_rows)), columns(static_cast<std::size_t>(num_columns)) {
    std::normal_distribution<float> normal;
    for (std::vector<float>* numbers : {&weights, &gradients, &momentum, &average})
      for (std::size_t i = 0; i < rows * columns; ++i) numbers->push_back(normal(random));
  }
  MuonArgs args() {
    return {.rows = rows,
            .columns = columns,
            .weights = weights.data(),
            .gradients = gradients.data(),
            .momentum = momentum.data(),
            .average = average.data(),
            .gradient_scale = 0.5f,
            .decay = 0.99f,
            .beta = 0.9f,
            .step_size = 0.1f,
            .average_momentum = 0.25f};
  }
  void step(const kernels::Kernels& kernels) {
    base::AlignedBuffer<float> scratch(muon_scratch_size(rows, columns));
    std::fill_n(scratch.data(), scratch.size(), std::nanf(""));  // whatever was there
    std::vector<float> direction(rows * columns, std::nanf(""));
    muon_direction(args(), kernels, scratch.data(), direction.data());
    muon_move(args(), direction.data());
  }
  std::size_t rows, columns;
  std::vector<float> weights, gradients, momentum, average;
};

class MuonTest : public ::testing::TestWithParam<const kernels::Kernels*> {};

TEST_P(MuonTest, StepsAsDefinedWhateverTheSizes) {
  test::Random random(1);
  std::vector<std::array<std::int64_t, 2>> sizes{{53, 49}, {49, 53}};  // products of two blocks
  for (int trial = 0; trial < 12; ++trial) sizes.push_back({test::pick(random, 1, 40), test::pick(random, 1, 40)});
  for (const auto& [rows, columns] : sizes) {
    MovedMatrix p(rows, columns, random);
    const MovedMatrix before = p;
    p.step(*GetParam());
    Matrix ahead(p.rows, std::vector<double>(p.columns));
    for (std::size_t i = 0; i < p.weights.size(); ++i) {
      const double momentum = 0.9 * before.momentum[i] + 0.5 * before.gradients[i];
      EXPECT_NEAR(p.momentum[i], momentum, 1e-5);
      EXPECT_EQ(p.gradients[i], 0);
      ahead[i / p.columns][i % p.columns] = 0.9 * momentum + 0.5 * before.gradients[i];
    }
    const Matrix direction = orthogonal(ahead);
    for (std::size_t i = 0; i < p.weights.size(); ++i) {
      const double weight = 0.99 * before.weights[i] - 0.1 * direction[i / p.columns][i % p.columns];
      ASSERT_NEAR(p.weights[i], weight, 2e-3) << p.rows << " x " << p.columns << ", element " << i;
      ASSERT_NEAR(p.average[i], 0.75 * before.average[i] + 0.25 * p.weights[i], 1e-5);
    }
  }
}

TEST_P(MuonTest, WeakDirectionsMoveAsFarAsStrongOnes) {
  // Two directions, one of 30 times the gradient of the other.
  test::Random random(2);
  MovedMatrix p(2, 2, random);
  p.weights = {0, 0, 0, 0}, p.momentum = {0, 0, 0, 0}, p.gradients = {30, 0, 0, 1};
  p.step(*GetParam());
  EXPECT_NEAR(p.weights[0], -0.1, 0.035);
  EXPECT_NEAR(p.weights[3], -0.1, 0.035);
  EXPECT_NEAR(p.weights[1], 0, 1e-6);
}

TEST_P(MuonTest, WithoutGradientsOnlyTheDecayMoves) {
  test::Random random(3);
  MovedMatrix p(5, 40, random);
  p.gradients.assign(200, 0), p.momentum.assign(200, 0);
  const std::vector<float> before = p.weights;
  p.step(*GetParam());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(p.weights[i], before[i] * 0.99f);
}

TEST_P(MuonTest, MomentumAloneMovesToTheSameBits) {
  test::Random random(4);
  MovedMatrix p(7, 21, random);
  MovedMatrix q = p;
  p.step(*GetParam());
  muon_momentum(q.args());
  EXPECT_EQ(p.momentum, q.momentum);
  EXPECT_EQ(p.gradients, q.gradients);
}

INSTANTIATE_TEST_SUITE_P(AllKernels, MuonTest,
                         ::testing::ValuesIn(kernels::available_kernels().begin(), kernels::available_kernels().end()),
                         [](const auto& kernels) { return std::string(kernels.param->name); });

}  // namespace
}  // namespace byteformer::backprop
