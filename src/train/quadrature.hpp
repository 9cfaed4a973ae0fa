// Gauss and Legendre's rule for integrals over [0, 1].
#pragma once

#include <vector>

namespace byteformer::train {

struct QuadraturePoint {
  double at = 0;  ///< in (0, 1)
  double weight = 0;
};

/// The rule of `num_points` points, ascending: exact for polynomials up to degree 2 num_points - 1.
std::vector<QuadraturePoint> gauss_legendre(int num_points);

}  // namespace byteformer::train
