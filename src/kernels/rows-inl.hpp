// Kernels that treat rows one by one: layer norm and sums of table rows, compiled once per instruction set.
#if defined(BYTEFORMER_KERNELS_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_ROWS_INL
#undef BYTEFORMER_KERNELS_ROWS_INL
#else
#define BYTEFORMER_KERNELS_ROWS_INL
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cmath>

#include "base/check.hpp"
#include "kernels/kernels.hpp"
#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

inline void layer_norm(const float* x, const std::int32_t* x_rows, std::size_t rows, std::size_t hidden,
                       const float* gamma, const float* beta, float eps, float* out) noexcept {
  BF_DCHECK_LT(0, hidden);
  BF_DCHECK(x != out || x_rows == nullptr);
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t row_size = padded(hidden);
  const std::size_t full = hidden / lanes * lanes;
  const auto tail = hn::FirstN(d, hidden - full);
  const float inverse_size = 1.0f / static_cast<float>(hidden);
  for (std::size_t r = 0; r < rows; ++r) {
    const float* from = x + (x_rows != nullptr ? static_cast<std::size_t>(x_rows[r]) : r) * row_size;
    float* to = out + r * row_size;
    auto sum = hn::Zero(d);
    for (std::size_t i = 0; i < row_size; i += lanes) sum = hn::Add(sum, hn::LoadU(d, from + i));
    const auto mean = hn::Set(d, hn::GetLane(hn::SumOfLanes(d, sum)) * inverse_size);
    auto squares = hn::Zero(d);
    for (std::size_t i = 0; i < full; i += lanes) {
      const auto difference = hn::Sub(hn::LoadU(d, from + i), mean);
      squares = hn::MulAdd(difference, difference, squares);
    }
    if (full < hidden) {
      const auto difference = hn::IfThenElseZero(tail, hn::Sub(hn::LoadU(d, from + full), mean));
      squares = hn::MulAdd(difference, difference, squares);
    }
    const float variance = hn::GetLane(hn::SumOfLanes(d, squares)) * inverse_size;
    const auto scale = hn::Set(d, 1.0f / std::sqrt(variance + eps));
    for (std::size_t i = 0; i < row_size; i += lanes) {
      const auto normed = hn::Mul(hn::Sub(hn::LoadU(d, from + i), mean), scale);
      hn::StoreU(hn::MulAdd(normed, hn::LoadU(d, gamma + i), hn::LoadU(d, beta + i)), d, to + i);
    }
  }
}

/// A token's ids, and the first of the columns of its sum that are meant.
struct TokenColumns {
  const std::uint16_t* ids;
  std::size_t column;
};

/// kVectors vectors of columns of one token; fetches those that come next.
template <std::size_t kVectors>
HWY_INLINE void sum_columns(const TableSumArgs& args, std::size_t token, TokenColumns now, TokenColumns next) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(d);
  for (std::size_t j = 0; j < args.kernel_size; ++j) {
    const float* row = args.table + (j * args.vocab + now.ids[j]) * args.row_size + now.column;
    const float* ahead = args.table + (j * args.vocab + next.ids[j]) * args.row_size + next.column;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kVectors * lanes; i += kRowAlignment) hwy::Prefetch(ahead + i);
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) sums[v] = hn::Add(sums[v], hn::LoadU(d, row + v * lanes));
  }
  const std::size_t offset = token * args.row_size + now.column;
  for (std::size_t v = 0; v < kVectors; ++v)
    hn::StoreU(hn::Add(sums[v], hn::LoadU(d, args.positions + offset + v * lanes)), d, args.out + offset + v * lanes);
}

inline void sum_table_rows(const TableSumArgs& args) noexcept {
  BF_DCHECK_EQ(args.row_size % kRowAlignment, 0);
  BF_DCHECK(args.stride > 0 && args.stride <= args.kernel_size);
  BF_DCHECK(args.positions != nullptr);
  // As many accumulators as every instruction set has registers for: long pieces of table rows arrive sooner.
  constexpr std::size_t kBlock = 12;
  const std::size_t lanes = hn::Lanes(Floats());
  for (std::size_t t = 0; t < args.tokens; ++t) {
    const std::uint16_t* ids = args.ids + t * args.stride;
    const std::uint16_t* next_ids = t + 1 < args.tokens ? ids + args.stride : ids;
    std::size_t column = 0;
    const auto sum = [&]<std::size_t kVectors>() HWY_ATTR {
      const std::size_t end = column + kVectors * lanes;
      sum_columns<kVectors>(args, t, {ids, column},
                            end < args.row_size ? TokenColumns{ids, end} : TokenColumns{next_ids, 0});
      column = end;
    };
    while (column + kBlock * lanes <= args.row_size) sum.template operator()<kBlock>();
    while (column + 4 * lanes <= args.row_size) sum.template operator()<4>();
    while (column < args.row_size) sum.template operator()<1>();
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
