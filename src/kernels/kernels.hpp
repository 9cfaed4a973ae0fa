// The hot loops, one table of functions per instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace byteformer::kernels {

/// Rows of activations are padded to a multiple of this many floats, and the padding is zero: then no kernel has a tail
/// of columns to treat specially.
inline constexpr std::size_t kRowAlignment = 16;

constexpr std::size_t padded(std::size_t columns) {
  return (columns + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
}

/// Floats that a packed [depth, width] matrix takes.
constexpr std::size_t packed_size(std::size_t depth, std::size_t width) { return depth * padded(width); }

/// What happens to a finished element of a product before it is stored.
enum class Epilogue {
  kStore,  ///< c = a b + bias
  kAdd,    ///< c = c + (a b + bias), the residual
  kGelu,   ///< c = gelu(a b + bias), erf form
};

/// c[row] = epilogue(a[row] * b + bias) for a few rows and one packed matrix.
struct MatmulArgs {
  const float* a = nullptr;  ///< [rows, depth], `a_stride` floats from row to row
  std::size_t a_stride = 0;
  std::size_t rows = 0;
  const float* b = nullptr;  ///< packed [depth, width]
  std::size_t depth = 0;
  std::size_t width = 0;
  const float* bias = nullptr;  ///< [padded(width)], or null for none
  float* c = nullptr;           ///< rows of padded(width) floats, `c_stride` floats from row to row
  std::size_t c_stride = 0;
  const std::int32_t* c_rows = nullptr;  ///< [rows]: row r is stored at row c_rows[r] of c; null means r
  Epilogue epilogue = Epilogue::kStore;
};

/// Multi-head self-attention inside one window, all heads.
struct AttentionArgs {
  const float* qkv = nullptr;  ///< [rows, 3 * hidden]: q, k, v, each split into heads
  std::size_t qkv_stride = 0;
  std::size_t rows = 0;
  std::size_t hidden = 0;
  std::size_t num_heads = 0;
  std::size_t num_filler = 0;         ///< further keys that all equal the key of `filler_qkv`
  const float* filler_qkv = nullptr;  ///< [3 * hidden]: what a filler row becomes
  float* out = nullptr;               ///< [rows, hidden], heads concatenated
  std::size_t out_stride = 0;
  float* scratch = nullptr;  ///< attention_scratch_size() floats
};

/// Floats of scratch that attention over at most `rows` rows needs.
std::size_t attention_scratch_size(std::size_t rows, std::size_t head_dim);

/// Sums of table rows: token t = sum_j table[j][ids[t * stride + j]] + positions[t].
struct TableSumArgs {
  const float* table = nullptr;  ///< [kernel_size, vocab, padded(hidden)]
  std::size_t kernel_size = 0;
  std::size_t vocab = 0;
  std::size_t stride = 0;
  std::size_t row_size = 0;            ///< padded(hidden)
  const std::uint16_t* ids = nullptr;  ///< [(tokens - 1) * stride + kernel_size]
  std::size_t tokens = 0;
  const float* positions = nullptr;  ///< [tokens, row_size]
  float* out = nullptr;              ///< [tokens, row_size]
};

/// One instruction set's kernels.
///
/// The contract that makes a file's logits independent of batch, threads, tiles and chunks: an output row is computed
/// with one fixed order of additions over the depth and one fixed sequence of fused multiply-adds, whatever tile or
/// tail it falls to. Bits are equal within one instruction set, not across them. All are noexcept and allocate nothing.
struct Kernels {
  const char* name;  ///< "avx512", "avx2", "neon" or "portable"

  /// Packs b, with b[k, n] = source[k * k_stride + n * n_stride], into packed_size(depth, width) floats.
  void (*pack)(const float* source, std::size_t depth, std::size_t width, std::size_t k_stride, std::size_t n_stride,
               float* packed) noexcept;

  void (*matmul)(const MatmulArgs& args) noexcept;

  /// out[r] = (x[row] - mean) / sqrt(variance + eps) * gamma + beta, with row = x_rows[r] (or r where it is null);
  /// x and out have rows of padded(hidden) floats; gamma and beta are padded with zeros. out may be x if x_rows is
  /// null.
  void (*layer_norm)(const float* x, const std::int32_t* x_rows, std::size_t rows, std::size_t hidden,
                     const float* gamma, const float* beta, float eps, float* out) noexcept;

  void (*attend)(const AttentionArgs& args) noexcept;

  void (*sum_table_rows)(const TableSumArgs& args) noexcept;

  // Exposed so that their error bounds can be tested: y[i] = f(x[i]); count is a multiple of kRowAlignment.
  void (*exp)(const float* x, std::size_t count, float* y) noexcept;
  void (*gelu)(const float* x, std::size_t count, float* y) noexcept;
};

/// The kernels that this machine can run, best first.
std::span<const Kernels* const> available_kernels();

/// The kernels to use: the best, or the one that the environment variable BYTEFORMER_KERNELS names.
/// \throws Error kInvalidArgument if it names one that this machine or build does not have.
const Kernels& default_kernels();

}  // namespace byteformer::kernels
