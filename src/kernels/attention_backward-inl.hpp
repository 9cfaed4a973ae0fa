// The backward pass of attention inside one window, a block of queries at a time, compiled once per instruction set.
#if defined(BYTEFORMER_KERNELS_ATTENTION_BACKWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_ATTENTION_BACKWARD_INL
#undef BYTEFORMER_KERNELS_ATTENTION_BACKWARD_INL
#else
#define BYTEFORMER_KERNELS_ATTENTION_BACKWARD_INL
#endif

#include <hwy/highway.h>

#include <cmath>

#include "base/check.hpp"
#include "kernels/attention-inl.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/training-inl.hpp"
#include "kernels/training_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

/// Where the pieces of one head lie in the scratch; sizes in floats. Rows of dim floats are padded.
struct HeadScratch {
  float* k;  // [keys, dim]: k and v of the window, the filler's last; not needed where they can be read as they lie
  float* v;
  float* k_columns;  // k^T packed, [dim, keys]
  float* v_columns;  // v^T packed
  float* k_rows;     // k packed, [keys, dim]
  float* q;          // [block, dim]: as k; later d_q
  float* packed_q;
  float* d_out;  // [block, dim]: as k
  float* packed_d_out;
  float* weights;   // [block, keys]: softmax
  float* d_scores;  // [block, keys]
  float* d_k;       // [keys, dim], sums over the blocks
  float* d_v;
};

HWY_INLINE HeadScratch layout(float* scratch, std::size_t keys, std::size_t dim) {
  const auto take = [&](std::size_t rows, std::size_t row_size) {
    float* const taken = scratch;
    scratch += rows * padded(row_size);
    return taken;
  };
  const std::size_t all = padded(keys);
  return {.k = take(all, dim),
          .v = take(all, dim),
          .k_columns = take(all, dim),
          .v_columns = take(all, dim),
          .k_rows = take(all, dim),
          .q = take(kQueryBlock, dim),
          .packed_q = take(kQueryBlock, dim),
          .d_out = take(kQueryBlock, dim),
          .packed_d_out = take(kQueryBlock, dim),
          .weights = take(kQueryBlock, keys),
          .d_scores = take(kQueryBlock, keys),
          .d_k = take(all, dim),
          .d_v = take(all, dim)};
}

/// The rows where they are if they need no padding, else copied to `to`.
HWY_INLINE Rows pad(Rows from, std::size_t rows, std::size_t dim, float* to) {
  return padded(dim) == dim ? from : gather(from, rows, dim, to);
}

/// d_scores = scale * weights * (d_weights - delta), in place of d_weights; delta is sum_j out_j d_out_j of the query.
HWY_INLINE void softmax_backward(const float* weights, float* d_weights, std::size_t size, float delta, float scale) {
  const Floats d;
  const auto minus = hn::Set(d, delta);
  const auto factor = hn::Set(d, scale);
  for (std::size_t i = 0; i < size; i += hn::Lanes(d)) {
    const auto difference = hn::Sub(hn::LoadU(d, d_weights + i), minus);
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, weights + i), factor), difference), d, d_weights + i);
  }
}

/// Queries [first, first + count) of one head: writes their d_q, adds to d_k and d_v.
inline void attend_backward_block(const AttentionBackwardArgs& args, std::size_t head, std::size_t first,
                                  std::size_t count, std::size_t keys, const HeadScratch& s) {
  const std::size_t dim = args.hidden / args.num_heads;
  const std::size_t row_size = padded(dim);
  const std::size_t score_size = padded(keys);
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  const float* out = args.out + first * args.out_stride + head * dim;
  const float* d_out = args.d_out + first * args.out_stride + head * dim;
  const Rows q = pad({args.qkv + first * args.qkv_stride + head * dim, args.qkv_stride}, count, dim, s.q);
  const Rows d_rows = pad({d_out, args.out_stride}, count, dim, s.d_out);

  multiply(q, count, s.k_columns, dim, keys, s.weights, score_size);
  multiply(d_rows, count, s.v_columns, dim, keys, s.d_scores, score_size);
  const Floats d;
  for (std::size_t r = 0; r < count; ++r) {
    float* weights = s.weights + r * score_size;
    const auto inverse = hn::Set(d, 1.0f / soften(weights, keys, args.num_filler, scale));
    for (std::size_t i = 0; i < score_size; i += hn::Lanes(d))
      hn::StoreU(hn::Mul(hn::LoadU(d, weights + i), inverse), d, weights + i);
    float delta = 0;
    for (std::size_t i = 0; i < dim; ++i) delta += out[r * args.out_stride + i] * d_out[r * args.out_stride + i];
    softmax_backward(weights, s.d_scores + r * score_size, score_size, delta, scale);
  }

  // d_q = d_scores k; q is not needed unpacked once it is packed for d_k.
  pack(q.data, count, dim, q.stride, 1, s.packed_q);
  pack(d_rows.data, count, dim, d_rows.stride, 1, s.packed_d_out);
  multiply({s.d_scores, score_size}, count, s.k_rows, keys, dim, s.q, row_size);
  for (std::size_t r = 0; r < count; ++r)
    std::copy_n(s.q + r * row_size, dim, args.d_qkv + (first + r) * args.qkv_stride + head * dim);
  add_outer_product({s.d_scores, score_size, s.packed_q, count, score_size, row_size, s.d_k, row_size});
  add_outer_product({s.weights, score_size, s.packed_d_out, count, score_size, row_size, s.d_v, row_size});
}

inline void attend_backward_head(const AttentionBackwardArgs& args, std::size_t head) {
  const std::size_t dim = args.hidden / args.num_heads;
  const std::size_t row_size = padded(dim);
  const std::size_t keys = args.rows + (args.num_filler > 0 ? 1 : 0);
  const HeadScratch s = layout(args.scratch, keys, dim);
  Rows k{args.qkv + args.hidden + head * dim, args.qkv_stride};
  Rows v{k.data + args.hidden, args.qkv_stride};
  if (args.num_filler > 0) {
    const float* filler = args.filler_qkv + args.hidden + head * dim;
    k = gather_with_filler(k, args.rows, filler, dim, s.k);
    v = gather_with_filler(v, args.rows, filler + args.hidden, dim, s.v);
  }
  pack(k.data, dim, keys, 1, k.stride, s.k_columns);
  pack(v.data, dim, keys, 1, v.stride, s.v_columns);
  pack(k.data, keys, dim, k.stride, 1, s.k_rows);
  std::fill_n(s.d_k, padded(keys) * row_size, 0.0f);
  std::fill_n(s.d_v, padded(keys) * row_size, 0.0f);
  for (std::size_t first = 0; first < args.rows; first += kQueryBlock)
    attend_backward_block(args, head, first, std::min(kQueryBlock, args.rows - first), keys, s);

  for (std::size_t r = 0; r < args.rows; ++r) {
    float* d_k = args.d_qkv + r * args.qkv_stride + args.hidden + head * dim;
    std::copy_n(s.d_k + r * row_size, dim, d_k);
    std::copy_n(s.d_v + r * row_size, dim, d_k + args.hidden);
  }
  if (args.num_filler > 0) {
    float* d_k = args.d_filler_qkv + args.hidden + head * dim;
    for (std::size_t i = 0; i < dim; ++i) {
      d_k[i] += s.d_k[args.rows * row_size + i];
      d_k[args.hidden + i] += s.d_v[args.rows * row_size + i];
    }
  }
}

inline void attend_backward(const AttentionBackwardArgs& args) noexcept {
  BF_DCHECK_LT(0, args.rows);
  BF_DCHECK(args.num_heads > 0 && args.hidden % args.num_heads == 0);
  BF_DCHECK_LE(3 * args.hidden, args.qkv_stride);
  BF_DCHECK_LE(args.hidden, args.out_stride);
  BF_DCHECK(args.scratch != nullptr);
  BF_DCHECK(args.num_filler == 0 || (args.filler_qkv != nullptr && args.d_filler_qkv != nullptr));
  for (std::size_t head = 0; head < args.num_heads; ++head) attend_backward_head(args, head);
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
