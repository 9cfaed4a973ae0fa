// Implementation of quadrature.hpp: the roots of Legendre's polynomials by Newton's method.
#include "train/quadrature.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace byteformer::train {
namespace {

/// P_n and its derivative at x in (-1, 1), by Bonnet's recursion.
struct Legendre {
  double value, slope;
};
Legendre legendre(int n, double x) {
  double before = 1, value = x;
  for (int k = 2; k <= n; ++k) {
    const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  return {value, n * (x * value - before) / (x * x - 1)};
}

}  // namespace

std::vector<QuadraturePoint> gauss_legendre(int num_points) {
  constexpr int kMostIterations = 100;
  std::vector<QuadraturePoint> points;
  for (int i = 0; i < num_points; ++i) {
    double x = -std::cos(std::numbers::pi * (i + 0.75) / (num_points + 0.5));
    Legendre p = legendre(num_points, x);
    for (int iteration = 0; iteration < kMostIterations && std::abs(p.value / p.slope) > 1e-15; ++iteration) {
      x -= p.value / p.slope;
      p = legendre(num_points, x);
    }
    points.push_back({(1 + x) / 2, 1 / ((1 - x * x) * p.slope * p.slope)});
  }
  return points;
}

}  // namespace byteformer::train
