// Which bytes decided, by gradients along the way from no bytes to the file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "format/model_folder.hpp"

namespace byteformer::train {

class Module;

struct GradientOptions {
  int label = 0;
  bool of_logit = false;  ///< else of the log-odds of the class, ln(score / (1 - score)); needs two classes
  int steps = 128;
  std::function<void(int num_done)> on_step = {};
};

struct IntegratedGradients {
  double value = 0;          ///< of the whole file
  double value_without = 0;  ///< with no byte anywhere
  std::vector<float> heat;   ///< [bytes]: adds up to value - value_without, but for the error of the quadrature
};

/// A point of Gauss and Legendre's rule for integrals over [0, 1].
struct QuadraturePoint {
  double at = 0;  ///< in (0, 1)
  double weight = 0;
};

/// The rule of `num_points` points, ascending: exact for polynomials up to degree 2 num_points - 1.
std::vector<QuadraturePoint> gauss_legendre(int num_points);

/// Along the straight line in embedding space from E[padding] = 0 to E[b_i] for all bytes i at once, byte i is given
/// (E[b_i] - 0) . mean of d value / d E[b_i], added up over channels. The stem is linear, so that the line is one in
/// the space of tokens, too, and one gradient per token serves all bytes that it reads. Bytes that no token reads get
/// 0. \throws Error kEmptyFile, kTooManyTokens; kUnsupported where the log-odds of the only class are asked for. \see
/// Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks", 2017
IntegratedGradients integrated_gradients(Module& module, std::span<const std::uint8_t> file,
                                         const GradientOptions& options);

/// The same of the model of a folder. \param num_threads 0: as many as LibTorch takes
IntegratedGradients integrated_gradients(const format::ModelFolder& folder, int num_threads,
                                         std::span<const std::uint8_t> file, const GradientOptions& options);

}  // namespace byteformer::train
