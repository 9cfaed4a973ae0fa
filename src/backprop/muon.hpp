// Muon: steps along the nearest orthogonal matrix to the momentum of a weight matrix's gradient.
#pragma once

#include <cstddef>

#include "kernels/kernels.hpp"

namespace byteformer::backprop {

// Five Newton-Schulz iterations with Jordan's quintic a x + b x^3 + c x^5 bring all singular values near 1: it is the
// steepest at zero of those that keep them between 0.7 and 1.2.
inline constexpr int kMuonIterations = 5;
inline constexpr float kMuonLinear = 3.4445f, kMuonCubic = -4.7750f, kMuonQuintic = 2.0315f;

/// A step of one weight matrix and of its moving average. It has two halves, because finding the direction takes nearly
/// all of the time, and may be another process's part.
/// \see Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024 (momentum, Newton-Schulz steps);
///      Liu et al., "Muon is Scalable for LLM Training", 2025 (decay, and steps of the size of AdamW's)
struct MuonArgs {
  std::size_t rows = 0, columns = 0;
  float* weights = nullptr;    ///< [rows, columns], as the others
  float* gradients = nullptr;  ///< zero afterwards
  float* momentum = nullptr;
  float* average = nullptr;
  float gradient_scale = 1;    ///< the gradients are multiplied by it first
  float decay = 1;             ///< the weights are: 1 - learning rate * weight decay
  float beta = 0;              ///< momentum = beta momentum + gradient, with Nesterov's look ahead
  float step_size = 0;         ///< learning rate times muon_scale(rows, columns)
  float average_momentum = 0;  ///< average += average_momentum (weights - average)
};

/// What makes the root mean square of a step 0.2 of the learning rate, about that of AdamW's: one rate serves both.
float muon_scale(std::size_t rows, std::size_t columns) noexcept;

/// Floats of scratch that muon_direction() needs.
std::size_t muon_scratch_size(std::size_t rows, std::size_t columns) noexcept;

/// Moves the momentum by the gradients, and finds along what the weights are to move. Bits depend on the kernels alone.
/// \param scratch   muon_scratch_size() floats, aligned as an AlignedBuffer's
/// \param direction [rows, columns]
void muon_direction(const MuonArgs& args, const kernels::Kernels& kernels, float* scratch, float* direction) noexcept;

/// Moves the momentum alone, to the same bits.
void muon_momentum(const MuonArgs& args) noexcept;

/// Moves the weights and their average. \param direction what muon_direction() has found
void muon_move(const MuonArgs& args, const float* direction) noexcept;

}  // namespace byteformer::backprop
