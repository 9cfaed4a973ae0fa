// The stem in training: the byte table is built from E and W in each step, and gradients flow back through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backprop/workers.hpp"
#include "byteformer/masking.hpp"

namespace byteformer::backprop {

/// hidden_size is a multiple of kernels::kRowAlignment.
struct StemShape {
  std::size_t hidden_size = 0;
  std::size_t kernel_size = 0;  ///< 0: no convolution
  Masking masking = Masking::kMasked;

  std::size_t taps() const { return kernel_size == 0 ? 1 : kernel_size; }
  std::size_t stride() const { return kernel_size == 0 ? 1 : kernel_size / 2; }
  /// Tokens of a file of `num_bytes` > 0 bytes.
  std::int64_t num_tokens(std::int64_t num_bytes) const;
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
PackedIds pack_ids(const StemShape& shape, std::span<const std::span<const std::uint8_t>> files);

/// const float* for weights, float* for gradients.
template <typename Pointer>
struct StemTensors {
  Pointer embedding;    ///< [257, hidden]
  Pointer convolution;  ///< [hidden, hidden, kernel_size]; null for kernel size 0
  Pointer positions;    ///< [at least the most tokens of a file, hidden]; null as a gradient where they do not learn
};

/// What the forward pass leaves: the byte table [taps, 257, hidden].
using StemMemory = PooledBuffer;

/// y[tokens of all files, hidden]: token t = sum_j T[j][b[t s + j]] + P[t].
void stem_forward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                  StemMemory& memory, float* y, Workers& workers);

/// Adds to the gradients. The padding id's embedding gets none.
void stem_backward(const StemShape& shape, const StemTensors<const float*>& weights, const PackedIds& ids,
                   const float* d_y, const StemTensors<float*>& gradients, Workers& workers);

}  // namespace byteformer::backprop
