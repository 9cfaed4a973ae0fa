// Products of bytes and of bfloat16, compiled for AVX2 and AVX-512.
#if defined(BYTEFORMER_KERNELS_REDUCED_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_REDUCED_INL
#undef BYTEFORMER_KERNELS_REDUCED_INL
#else
#define BYTEFORMER_KERNELS_REDUCED_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/reduced_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

using Groups = hn::RebindToUnsigned<Floats>;
using Group = hn::Vec<Groups>;
using Counts = hn::RebindToSigned<Floats>;

/// What the epilogue needs of a vector of columns.
struct ColumnVector {
  const float* scales;
  const float* sums;
  const float* bias;
};

/// Bytes: a row's are unsigned and stand for lowest + scale q, a column's are signed and stand for scale q. With
/// kRowLevels steps per row, sum_k a b = row.scale * column.scale * sum_k qa qb + row.lowest * sum_k b.
template <int kRowLevels>
struct Bytes {
  static constexpr std::size_t kValues = 4;
  using Sum = hn::Vec<Counts>;

  static HWY_INLINE Sum zero() { return hn::Zero(Counts()); }

  static HWY_INLINE Vector finish(Sum sum, const RowRange& row, const ColumnVector& column) {
    const Floats d;
    const auto product = hn::Mul(hn::ConvertTo(d, sum), hn::LoadU(d, column.scales));
    const auto rest = hn::MulAdd(hn::Set(d, row.lowest), hn::LoadU(d, column.sums), hn::LoadU(d, column.bias));
    return hn::MulAdd(hn::Set(d, row.scale), product, rest);
  }

  static void reduce_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t depth,
                          std::uint32_t* groups, RowRange* ranges) noexcept {
    const Floats d;
    const hn::Rebind<std::uint8_t, Floats> d8;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t size = padded(depth);
    auto* out = reinterpret_cast<std::uint8_t*>(groups);
    for (std::size_t r = 0; r < rows; ++r, out += size) {
      const float* from = x + r * x_stride;
      auto lowest = hn::Zero(d);  // 0 is in every range, as it is in the padding
      auto highest = hn::Zero(d);
      for (std::size_t i = 0; i < size; i += lanes) {
        const auto value = hn::LoadU(d, from + i);
        lowest = hn::Min(lowest, value);
        highest = hn::Max(highest, value);
      }
      const float low = hn::GetLane(hn::MinOfLanes(d, lowest));
      const float range = hn::GetLane(hn::MaxOfLanes(d, highest)) - low;
      const auto start = hn::Set(d, low);
      const auto factor = hn::Set(d, range > 0 ? kRowLevels / range : 0.0f);
      for (std::size_t i = 0; i < size; i += lanes) {
        const auto level = hn::NearestInt(hn::Mul(hn::Sub(hn::LoadU(d, from + i), start), factor));
        hn::StoreU(hn::DemoteTo(d8, level), d8, out + i);
      }
      ranges[r] = {range / kRowLevels, low};
    }
  }

  /// The columns' bytes, -127 ... 127.
  static std::uint32_t group_of(const float* weight, std::size_t count, float scale) {
    std::int8_t bytes[kValues] = {};
    const float steps = scale > 0 ? 1.0f / scale : 0.0f;
    for (std::size_t i = 0; i < count; ++i)
      bytes[i] = static_cast<std::int8_t>(weight[i] * steps + std::copysign(0.5f, weight[i]));
    std::uint32_t group;
    std::memcpy(&group, bytes, sizeof(group));
    return group;
  }
  static float scale_of(const float* column, std::size_t depth) {
    float largest = 0;
    for (std::size_t k = 0; k < depth; ++k) largest = std::max(largest, std::abs(column[k]));
    return largest / 127.0f;
  }
  static float sum_of(std::uint32_t group, float scale) {
    std::int8_t bytes[kValues];
    std::memcpy(bytes, &group, sizeof(group));
    return scale * static_cast<float>(bytes[0] + bytes[1] + bytes[2] + bytes[3]);
  }
};

/// Pairs of products are added in int16, which would saturate: 7 bits per row leave room for any pair.
struct PairedBytes : Bytes<127> {
  static HWY_INLINE Sum add(Sum sum, Group a, Group b) {
#if HWY_TARGET == HWY_AVX3
    const __m512i pairs = _mm512_maddubs_epi16(a.raw, b.raw);
    return {_mm512_add_epi32(sum.raw, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)))};
#else
    const __m256i pairs = _mm256_maddubs_epi16(a.raw, b.raw);
    return {_mm256_add_epi32(sum.raw, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))};
#endif
  }
};

#if HWY_TARGET == HWY_AVX3
// Assembly, because the instructions belong to extensions that the rest of this file must not be compiled for.

struct VnniBytes : Bytes<255> {
  static HWY_INLINE Sum add(Sum sum, Group a, Group b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};

struct Bfloat16 {
  static constexpr std::size_t kValues = 2;
  using Sum = Vector;

  static HWY_INLINE Sum zero() { return hn::Zero(Floats()); }
  static HWY_INLINE Sum add(Sum sum, Group a, Group b) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
  static HWY_INLINE Vector finish(Sum sum, const RowRange&, const ColumnVector& column) {
    return hn::Add(sum, hn::LoadU(Floats(), column.bias));
  }

  static void reduce_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t depth,
                          std::uint32_t* groups, RowRange*) noexcept {
    const std::size_t size = padded(depth);
    for (std::size_t r = 0; r < rows; ++r, groups += size / kValues) {
      for (std::size_t i = 0; i < size; i += 16) {
        __m256i rounded;
        asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(_mm512_loadu_ps(x + r * x_stride + i)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(groups + i / kValues), rounded);
      }
    }
  }

  static std::uint32_t group_of(const float* weight, std::size_t count, float) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &weight[i], sizeof(bits));
      const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;  // to nearest, ties to even
      group |= rounded << (16 * i);
    }
    return group;
  }
  static float scale_of(const float*, std::size_t) { return 1.0f; }
  static float sum_of(std::uint32_t, float) { return 0.0f; }
};
#endif

template <typename Format>
void pack_reduced(const float* weight, std::size_t depth, std::size_t width, std::uint32_t* packed,
                  float* column_scales, float* column_sums) noexcept {
  const std::size_t lanes = hn::Lanes(Floats());
  const std::size_t groups = padded(depth) / Format::kValues;
  std::fill_n(packed, groups * padded(width), 0U);
  std::fill_n(column_scales, padded(width), 0.0f);
  std::fill_n(column_sums, padded(width), 0.0f);
  for_each_panel(width, [&](std::size_t first, std::size_t count) {
    std::uint32_t* panel = packed + first * lanes * groups;
    const std::size_t columns = count * lanes;
    for (std::size_t n = first * lanes; n < std::min(width, first * lanes + columns); ++n) {
      const float* column = weight + n * depth;
      const float scale = Format::scale_of(column, depth);
      column_scales[n] = scale;
      for (std::size_t k = 0; k < depth; k += Format::kValues) {
        const std::uint32_t group = Format::group_of(column + k, std::min(Format::kValues, depth - k), scale);
        panel[k / Format::kValues * columns + (n - first * lanes)] = group;
        column_sums[n] += Format::sum_of(group, scale);
      }
    }
  });
}

/// kRows rows times one panel of kVectors vectors. \see tile()
template <typename Format, std::size_t kRows, std::size_t kVectors, Epilogue kEpilogue>
HWY_INLINE void reduced_tile(const ReducedMatmulArgs& args, std::size_t row, std::size_t column, float* const* c) {
  const Groups d;
  const std::size_t lanes = hn::Lanes(d);
  const std::uint32_t* HWY_RESTRICT a = args.a + row * args.groups;
  const std::uint32_t* panel = args.b + column * args.groups;
  typename Format::Sum sums[kRows][kVectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = Format::zero();
  }
  for (std::size_t g = 0; g < args.groups; ++g) {
    Group b[kVectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) b[v] = hn::LoadU(d, panel + (g * kVectors + v) * lanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto of_row = hn::Set(d, a[r * args.groups + g]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = Format::add(sums[r][v], of_row, b[v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t at = column + v * lanes;
      const ColumnVector columns{args.column_scales + at, args.column_sums + at, args.bias + at};
      store_result<kEpilogue>(Format::finish(sums[r][v], args.ranges[row + r], columns), c[r] + v * lanes);
    }
  }
}

template <typename Format, std::size_t kVectors, Epilogue kEpilogue>
void reduced_panel_product(const ReducedMatmulArgs& args, std::size_t column) {
  for_each_tile(args, column, [&]<std::size_t kRows>(std::size_t row, float* const* c) HWY_ATTR {
    reduced_tile<Format, kRows, kVectors, kEpilogue>(args, row, column, c);
  });
}

template <typename Format, Epilogue kEpilogue>
void reduced_product(const ReducedMatmulArgs& args) {
  for_each_panel(args.width, [&](std::size_t first, std::size_t count) {
    const std::size_t column = first * hn::Lanes(Floats());
    switch (count) {
      case 1: reduced_panel_product<Format, 1, kEpilogue>(args, column); break;
      case 2: reduced_panel_product<Format, 2, kEpilogue>(args, column); break;
      default: reduced_panel_product<Format, 3, kEpilogue>(args, column); break;
    }
  });
}

template <typename Format>
void reduced_matmul(const ReducedMatmulArgs& args) noexcept {
  BF_DCHECK(args.rows <= 1 || padded(args.width) <= args.c_stride);
  BF_DCHECK(args.column_scales != nullptr && args.column_sums != nullptr && args.bias != nullptr);
  switch (args.epilogue) {
    case Epilogue::kStore: reduced_product<Format, Epilogue::kStore>(args); break;
    case Epilogue::kAdd: reduced_product<Format, Epilogue::kAdd>(args); break;
    case Epilogue::kGelu: reduced_product<Format, Epilogue::kGelu>(args); break;
  }
}

template <typename Format>
constexpr ReducedKernels make_reduced_table(const char* name, Precision precision) {
  return {name, precision, Format::kValues, pack_reduced<Format>, Format::reduce_rows, reduced_matmul<Format>};
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
