// The byte table: the product of every byte's embedding with every tap of the stem's convolution.
#pragma once

#include <cstddef>

#include "base/aligned_buffer.hpp"
#include "base/thread_pool.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::nn {

inline constexpr std::size_t kByteVocabulary = 257;  // 256 byte values and the padding id

/// The taps W[:, :, j] of a convolution [hidden, hidden, kernel_size], each transposed: [kernel_size, in, out].
base::AlignedBuffer<float> taps_of(const float* convolution, std::size_t hidden, std::size_t kernel_size,
                                   base::ThreadPool& pool);

/// table[j][v] = W[:, :, j] E[v]: [kernel_size, 257, padded(hidden)], 257 k hidden^2 multiply-adds on all threads.
/// \param embedding    [257, hidden]
/// \param convolution  [hidden, hidden, kernel_size]; null where the model has none: the table is the embedding then
/// \see docs/architecture.md, "The byte table"
void build_byte_table(const kernels::Kernels& kernels, const float* embedding, const float* convolution,
                      std::size_t hidden, std::size_t kernel_size, float* table, base::ThreadPool& pool);

}  // namespace byteformer::nn
