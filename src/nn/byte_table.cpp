// Multiplies every embedding with every tap.
#include "nn/byte_table.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::nn {

// Read in blocks of outputs, so that whole cache lines of the convolution are used.
base::AlignedBuffer<float> taps_of(const float* convolution, std::size_t hidden, std::size_t kernel_size,
                                   base::ThreadPool& pool) {
  constexpr std::size_t kBlock = 16;
  base::AlignedBuffer<float> result(kernel_size * hidden * hidden);
  pool.parallel_for((hidden + kBlock - 1) / kBlock, [&](std::size_t block, int) noexcept {
    const std::size_t begin = block * kBlock;
    const std::size_t end = std::min(hidden, begin + kBlock);
    for (std::size_t in = 0; in < hidden; ++in)
      for (std::size_t j = 0; j < kernel_size; ++j)
        for (std::size_t out = begin; out < end; ++out)
          result[(j * hidden + in) * hidden + out] = convolution[(out * hidden + in) * kernel_size + j];
  });
  return result;
}

void build_byte_table(const kernels::Kernels& kernels, const float* embedding, const float* convolution,
                      std::size_t hidden, std::size_t kernel_size, float* table, base::ThreadPool& pool) {
  BF_DCHECK(hidden > 0 && kernel_size > 0);
  const std::size_t row_size = kernels::padded(hidden);
  if (convolution == nullptr) {
    BF_DCHECK_EQ(kernel_size, 1);
    for (std::size_t v = 0; v < kByteVocabulary; ++v) std::copy_n(embedding + v * hidden, hidden, table + v * row_size);
    return;
  }
  const base::AlignedBuffer<float> taps = taps_of(convolution, hidden, kernel_size, pool);
  std::vector<base::AlignedBuffer<float>> packed;  // one per worker
  for (int i = 0; i < pool.num_threads(); ++i) packed.emplace_back(kernels::packed_size(hidden, hidden));
  pool.parallel_for(kernel_size, [&](std::size_t j, int worker) noexcept {
    float* b = packed[static_cast<std::size_t>(worker)].data();
    kernels.pack(taps.data() + j * hidden * hidden, hidden, hidden, hidden, 1, b);
    kernels.matmul({.a = embedding,
                    .a_stride = hidden,
                    .rows = kByteVocabulary,
                    .b = b,
                    .depth = hidden,
                    .width = hidden,
                    .c = table + j * kByteVocabulary * row_size,
                    .c_stride = row_size});
  });
}

}  // namespace byteformer::nn
