// Gauss and Legendre's rule on polynomials.
#include "train/quadrature.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace byteformer::train {
namespace {

TEST(Quadrature, IsExactForPolynomials) {
  for (const int num_points : {1, 2, 5, 16, 64, 333})
    for (const int degree : {0, 1, 2 * num_points - 2, 2 * num_points - 1}) {
      double integral = 0;
      double before = 0;
      for (const auto& [at, weight] : gauss_legendre(num_points)) {
        EXPECT_GT(at, before);
        EXPECT_GT(weight, 0);
        before = at;
        integral += weight * std::pow(at, degree);
      }
      EXPECT_LT(before, 1);
      EXPECT_NEAR(integral, 1.0 / (degree + 1), 1e-13) << num_points << " points, degree " << degree;
    }
}

TEST(Quadrature, IsNotExactBeyond) {
  double integral = 0;
  for (const auto& [at, weight] : gauss_legendre(2)) integral += weight * std::pow(at, 4);
  EXPECT_GT(std::abs(integral - 0.2), 1e-3);
}

}  // namespace
}  // namespace byteformer::train
