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

  const float* q = args.qkv + head * head_dim;
  const float* k = q + args.hidden;
  const float* v = k + args.hidden;
  float* gathered = mixed + kTileRows * value_stride;  // [keys, head_dim], only where there is filler
  std::size_t stride = args.qkv_stride;
  if (args.num_filler > 0) {
    // The filler key joins the real ones, so that both products see one matrix.
    const float* filler_k = args.filler_qkv + args.hidden + head * head_dim;
    const float* filler_v = filler_k + args.hidden;
    float* gathered_v = gathered + keys * head_dim;
    for (std::size_t r = 0; r < args.rows; ++r) {
      std::copy_n(k + r * stride, head_dim, gathered + r * head_dim);
      std::copy_n(v + r * stride, head_dim, gathered_v + r * head_dim);
    }
    std::copy_n(filler_k, head_dim, gathered + args.rows * head_dim);
    std::copy_n(filler_v, head_dim, gathered_v + args.rows * head_dim);
    k = gathered;
    v = gathered_v;
    stride = head_dim;
  }
  pack(k, head_dim, keys, 1, stride, keys_packed);
  pack(v, keys, head_dim, stride, 1, values_packed);

  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  for (std::size_t row = 0; row < args.rows; row += kTileRows) {
    const std::size_t rows = std::min(kTileRows, args.rows - row);
    MatmulArgs product;
    product.a = q + row * args.qkv_stride;
    product.a_stride = args.qkv_stride;
    product.rows = rows;
    product.b = keys_packed;
    product.depth = head_dim;
    product.width = keys;
    product.c = scores;
    product.c_stride = score_stride;
    matmul(product);

    float inverse_sums[kTileRows];
    for (std::size_t r = 0; r < rows; ++r)
      inverse_sums[r] = 1.0f / soften(scores + r * score_stride, keys, args.num_filler, scale);

    product.a = scores;
    product.a_stride = score_stride;
    product.b = values_packed;
    product.depth = keys;
    product.width = head_dim;
    product.c = mixed;
    product.c_stride = value_stride;
    matmul(product);
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
