// The hot loops that only training needs: backward passes and products summed over rows. Same dispatch as kernels.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"

namespace byteformer::kernels {

/// Columns that are packed as a matrix of their own: what one pass of add_outer_product over a takes well.
inline constexpr std::size_t kOuterColumns = 48;

/// Where a kernel writes rows of a [depth, width] matrix that is packed by blocks of kOuterColumns columns, one after
/// another: `depth * width` floats. The rows may come from several calls, also at the same time.
struct PackedColumns {
  float* data = nullptr;      ///< the packed matrix
  std::size_t depth = 0;      ///< rows of the packed matrix
  std::size_t first_row = 0;  ///< where the kernel's rows go in it
};

/// Rows on their way into a packed matrix.
struct PackColumnsArgs {
  const float* source = nullptr;  ///< [rows, width]
  std::size_t rows = 0;
  std::size_t width = 0;  ///< a multiple of kRowAlignment
  PackedColumns to;
};

/// c += a^T b, summed over `depth` rows: the gradient of a weight.
struct OuterArgs {
  const float* a = nullptr;  ///< [depth, height], `a_stride` floats from row to row
  std::size_t a_stride = 0;
  const float* b = nullptr;  ///< [depth, width] packed by Kernels::pack, or a block of PackedColumns
  std::size_t depth = 0;
  std::size_t height = 0;  ///< a multiple of kRowAlignment
  std::size_t width = 0;   ///< a multiple of kRowAlignment
  float* c = nullptr;      ///< [height, width], `c_stride` floats from row to row
  std::size_t c_stride = 0;
};

/// The backward pass of AttentionArgs for one window. Weights are computed again from q and k.
struct AttentionBackwardArgs {
  const float* qkv = nullptr;  ///< [rows, 3 * hidden]
  std::size_t qkv_stride = 0;
  std::size_t rows = 0;
  std::size_t hidden = 0;
  std::size_t num_heads = 0;
  std::size_t num_filler = 0;
  const float* filler_qkv = nullptr;  ///< [3 * hidden]
  const float* out = nullptr;         ///< [rows, hidden]: what the forward pass gave
  const float* d_out = nullptr;       ///< [rows, hidden]
  std::size_t out_stride = 0;         ///< of out and d_out
  float* d_qkv = nullptr;             ///< [rows, 3 * hidden], overwritten
  float* d_filler_qkv = nullptr;      ///< [3 * hidden], added to; null where num_filler is 0
  float* scratch = nullptr;           ///< attention_backward_scratch_size() floats
};

/// Queries that the backward pass of attention treats together: their weights stay in the level-2 cache.
inline constexpr std::size_t kQueryBlock = 128;

/// Floats of scratch that the backward pass over at most `rows` rows needs.
std::size_t attention_backward_scratch_size(std::size_t rows, std::size_t head_dim);

/// The backward pass of layer_norm for rows of `hidden` floats, a multiple of kRowAlignment.
struct LayerNormBackwardArgs {
  const float* x = nullptr;              ///< rows that were normalised
  const std::int32_t* x_rows = nullptr;  ///< [rows]: which rows of x; null means in order
  const float* d_out = nullptr;          ///< [rows, hidden]
  std::size_t rows = 0;
  std::size_t hidden = 0;
  const float* gamma = nullptr;
  float eps = 0;
  const float* residual = nullptr;         ///< [rows, hidden], added to d_x; may be null
  float* d_x = nullptr;                    ///< rows, overwritten; may be d_out or residual
  const std::int32_t* d_x_rows = nullptr;  ///< [rows]: which rows of d_x; null means in order
  float* d_gamma = nullptr;                ///< [hidden], added to
  float* d_beta = nullptr;                 ///< [hidden], added to
  const float* beta = nullptr;             ///< [hidden]; only for `y`
  PackedColumns y = {};                    ///< what layer_norm gave, the same bits; not wanted if its data are null
};

/// The backward pass of GELU for rows of `width` floats, a multiple of kRowAlignment.
struct GeluBackwardArgs {
  const float* x = nullptr;  ///< [rows, width]
  std::size_t rows = 0;
  std::size_t width = 0;
  float* d = nullptr;    ///< [rows, width]: of the result, and then of x
  PackedColumns y = {};  ///< gelu(x)
};

/// d_table[j][ids[t * stride + j]] += d_out[t] for taps j in [first_tap, last_tap). Other taps are left alone, so that
/// threads can share a table by taps.
struct TableGradientArgs {
  float* d_table = nullptr;  ///< [kernel_size, vocab, row_size]
  std::size_t vocab = 0;
  std::size_t row_size = 0;  ///< a multiple of kRowAlignment
  std::size_t stride = 0;
  std::size_t first_tap = 0;
  std::size_t last_tap = 0;
  const std::uint16_t* ids = nullptr;  ///< [(tokens - 1) * stride + kernel_size]
  std::size_t tokens = 0;
  const float* d_out = nullptr;  ///< [tokens, row_size]
};

/// One step of AdamW and of the moving average, element by element. It ends with gradients of zero, ready for the next
/// backward passes: they are in the cache.
/// \see Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019
struct AdamWArgs {
  std::size_t count = 0;
  float* weights = nullptr;
  float* gradients = nullptr;
  float* first_moment = nullptr;
  float* second_moment = nullptr;
  float* average = nullptr;
  float gradient_scale = 1;  ///< the gradients are multiplied by it first
  float decay = 1;           ///< the weights are: 1 - learning rate * weight decay
  float beta1 = 0, beta2 = 0;
  float step_size = 0;           ///< learning rate / (1 - beta1^t)
  float inverse_root_bias2 = 0;  ///< 1 / sqrt(1 - beta2^t)
  float eps = 0;
  float momentum = 0;  ///< average += momentum (weights - average)
};

/// One instruction set's training kernels. Sums run in a fixed order, so results do not depend on threads. All are
/// noexcept and allocate nothing.
struct TrainingKernels {
  const char* name;  ///< as Kernels::name

  void (*pack_columns)(const PackColumnsArgs& args) noexcept;
  void (*add_outer_product)(const OuterArgs& args) noexcept;
  void (*attend_backward)(const AttentionBackwardArgs& args) noexcept;
  void (*layer_norm_backward)(const LayerNormBackwardArgs& args) noexcept;
  void (*gelu_backward)(const GeluBackwardArgs& args) noexcept;
  /// sums[i] += sum over rows of x[row][i]; `width` is a multiple of kRowAlignment.
  void (*add_column_sums)(const float* x, std::size_t rows, std::size_t width, float* sums) noexcept;
  void (*add_table_gradient)(const TableGradientArgs& args) noexcept;
  void (*adamw)(const AdamWArgs& args) noexcept;
};

/// The training kernels of the same instruction set as `kernels`.
const TrainingKernels& training_kernels_for(const Kernels& kernels);

}  // namespace byteformer::kernels
