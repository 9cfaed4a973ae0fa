// Attention inside one window without a score matrix in memory, compiled once per instruction set.
#if defined(BYTEFORMER_KERNELS_ATTENTION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_ATTENTION_INL
#undef BYTEFORMER_KERNELS_ATTENTION_INL
#else
#define BYTEFORMER_KERNELS_ATTENTION_INL
#endif

#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "kernels/kernels.hpp"
#include "kernels/matmul-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

/// Turns the scores of one query into weights exp(scale (s - max)) in place and returns their sum. The columns from
/// `keys` to padded(keys) become 0. If `num_filler` is not 0 the last key stands for that many equal ones.
HWY_INLINE float soften(float* scores, std::size_t keys, std::size_t num_filler, float scale) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t end = padded(keys);
  for (std::size_t i = keys; i < end; ++i) scores[i] = -std::numeric_limits<float>::max();
  auto largest = hn::LoadU(d, scores);
  for (std::size_t i = lanes; i < end; i += lanes) largest = hn::Max(largest, hn::LoadU(d, scores + i));
  const auto top = hn::MaxOfLanes(d, largest);
  const auto factor = hn::Set(d, scale);
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < end; i += lanes) {
    const auto weight = exp_vector(hn::Mul(hn::Sub(hn::LoadU(d, scores + i), top), factor));
    hn::StoreU(weight, d, scores + i);
    sum = hn::Add(sum, weight);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  if (num_filler > 1) {
    const float one = scores[keys - 1];
    scores[keys - 1] = one * static_cast<float>(num_filler);
    total += one * static_cast<float>(num_filler - 1);
  }
  return total;
}

/// Rows of a matrix, `stride` floats from one to the next.
struct Rows {
  const float* data;
  std::size_t stride;
};

/// Copies `rows` rows of `dim` floats into rows of padded(dim) floats; the padding is zero.
HWY_INLINE Rows gather(Rows from, std::size_t rows, std::size_t dim, float* to) {
  const std::size_t row_size = padded(dim);
  for (std::size_t r = 0; r < rows; ++r) {
    std::copy_n(from.data + r * from.stride, dim, to + r * row_size);
    std::fill(to + r * row_size + dim, to + (r + 1) * row_size, 0.0f);
  }
  return {to, row_size};
}

/// The same, and behind them the filler's row.
HWY_INLINE Rows gather_with_filler(Rows from, std::size_t rows, const float* filler, std::size_t dim, float* to) {
  gather({filler, 0}, 1, dim, to + rows * padded(dim));
  return gather(from, rows, dim, to);
}

/// c[r, :] = a[r, :] b for `rows` rows.
HWY_INLINE void multiply(Rows a, std::size_t rows, const float* b, std::size_t depth, std::size_t width, float* c,
                         std::size_t c_stride) {
  MatmulArgs product;
  product.a = a.data;
  product.a_stride = a.stride;
  product.rows = rows;
  product.b = b;
  product.depth = depth;
  product.width = width;
  product.c = c;
  product.c_stride = c_stride;
  matmul(product);
}

/// One head of one window: `keys` counts the filler key, if any.
inline void attend_head(const AttentionArgs& args, std::size_t head) {
  const std::size_t head_dim = args.hidden / args.num_heads;
  const std::size_t keys = args.rows + (args.num_filler > 0 ? 1 : 0);
  const std::size_t score_stride = padded(keys);
  const std::size_t value_stride = padded(head_dim);
  float* keys_packed = args.scratch;                                 // [head_dim, keys]
  float* values_packed = keys_packed + packed_size(head_dim, keys);  // [keys, head_dim]
  float* scores = values_packed + packed_size(keys, head_dim);       // [kTileRows, score_stride]
  float* mixed = scores + kTileRows * score_stride;                  // [kTileRows, value_stride]

  const Rows q{args.qkv + head * head_dim, args.qkv_stride};
  Rows k{q.data + args.hidden, args.qkv_stride};
  Rows v{k.data + args.hidden, args.qkv_stride};
  if (args.num_filler > 0) {
    // The filler key joins the real ones, so that both products see one matrix.
    float* gathered = mixed + kTileRows * value_stride;  // [2, keys, value_stride]
    const float* filler = args.filler_qkv + args.hidden + head * head_dim;
    k = gather_with_filler(k, args.rows, filler, head_dim, gathered);
    v = gather_with_filler(v, args.rows, filler + args.hidden, head_dim, gathered + keys * value_stride);
  }
  pack(k.data, head_dim, keys, 1, k.stride, keys_packed);
  pack(v.data, keys, head_dim, v.stride, 1, values_packed);

  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  for (std::size_t row = 0; row < args.rows; row += kTileRows) {
    const std::size_t rows = std::min(kTileRows, args.rows - row);
    multiply({q.data + row * q.stride, q.stride}, rows, keys_packed, head_dim, keys, scores, score_stride);
    float inverse_sums[kTileRows];
    for (std::size_t r = 0; r < rows; ++r)
      inverse_sums[r] = 1.0f / soften(scores + r * score_stride, keys, args.num_filler, scale);
    multiply({scores, score_stride}, rows, values_packed, keys, head_dim, mixed, value_stride);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* from = mixed + r * value_stride;
      float* to = args.out + (row + r) * args.out_stride + head * head_dim;
      for (std::size_t i = 0; i < head_dim; ++i) to[i] = from[i] * inverse_sums[r];
    }
  }
}

inline void attend(const AttentionArgs& args) noexcept {
  BF_DCHECK_LT(0, args.rows);
  BF_DCHECK(args.num_heads > 0 && args.hidden % args.num_heads == 0);
  BF_DCHECK_LE(3 * args.hidden, args.qkv_stride);
  BF_DCHECK_LE(args.hidden, args.out_stride);
  BF_DCHECK(args.scratch != nullptr);
  BF_DCHECK(args.num_filler == 0 || args.filler_qkv != nullptr);
  for (std::size_t head = 0; head < args.num_heads; ++head) attend_head(args, head);
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
