// The stem in training: the byte table is built from E and W in each step, and gradients flow back through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backprop/workers.hpp"
#include "nn/geometry.hpp"

namespace byteformer::backprop {

/// hidden_size is a multiple of kernels::kRowAlignment.
struct StemShape {
  std::size_t hidden_size;
  nn::TokenGeometry tokens;
};

/// The bytes of a batch as ids, every file extended by padding ids to what its tokens read.
struct PackedIds {
  struct File {
    std::size_t first_id = 0;
    std::size_t first_token = 0;  ///< row of the batch
    std::size_t num_tokens = 0;
  };
  std::vector<std::uint16_t> ids;
  std::vector<File> files;

  std::size_t num_tokens() const { return files.empty() ? 0 : files.back().first_token + files.back().num_tokens; }
};
PackedIds pack_ids(const nn::TokenGeometry& tokens, std::span<const std::span<const std::uint8_t>> files);

/// const float* for weights, float* for gradients.
template <typename Pointer>
struct StemTensors {
  Pointer embedding;    ///< [257, hidden]
  Pointer convolution;  ///< [hidden, hidden, kernel_size]; null where there is none
  Pointer positions;    ///< [at least the most tokens of a file, hidden]; null as a gradient where they do not learn
};

/// What the forward pass leaves: the byte table [taps, 257, hidden].
using StemMemory = PooledBuffer;

/// y[tokens of all files, hidden]: token t = sum_j T[j][b[t s + j]] + P[t].
void stem_forward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                  StemMemory& memory, float* y, TrainingWorkers& workers);

/// Adds to the gradients. The padding id's embedding gets none.
void stem_backward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                   const float* d_y, const StemTensors<float*>& gradients, TrainingWorkers& workers);

}  // namespace byteformer::backprop
