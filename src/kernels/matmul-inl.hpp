// Matrix products with packed weights, compiled once per instruction set.
//
// A packed [depth, width] matrix is cut into panels of at most three vectors of columns; a panel holds its columns for
// k = 0, 1, ... one after another. A tile of the product keeps kTileRows x 3 accumulators in registers and walks down k
// once: one fused multiply-add per element and k, in ascending order, whatever the tile.
#if defined(BYTEFORMER_KERNELS_MATMUL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BYTEFORMER_KERNELS_MATMUL_INL
#undef BYTEFORMER_KERNELS_MATMUL_INL
#else
#define BYTEFORMER_KERNELS_MATMUL_INL
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "kernels/kernels.hpp"
#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

// 24 accumulators where there are 32 vector registers, 12 where there are 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
inline constexpr std::size_t kTileRows = 8;
#else
inline constexpr std::size_t kTileRows = 4;
#endif
inline constexpr std::size_t kPanelVectors = 3;

/// Calls body(first_vector, num_vectors) for each panel of a matrix of `width` columns; sizes differ by at most one.
template <typename Body>
HWY_INLINE void for_each_panel(std::size_t width, const Body& body) {
  const std::size_t vectors = padded(width) / hn::Lanes(Floats());
  const std::size_t panels = (vectors + kPanelVectors - 1) / kPanelVectors;
  std::size_t first = 0;
  for (std::size_t p = 0; p < panels; ++p) {
    const std::size_t count = vectors / panels + (p < vectors % panels ? 1 : 0);
    body(first, count);
    first += count;
  }
}

inline void pack(const float* source, std::size_t depth, std::size_t width, std::size_t k_stride, std::size_t n_stride,
                 float* packed) noexcept {
  const std::size_t lanes = hn::Lanes(Floats());
  for_each_panel(width, [&](std::size_t first, std::size_t count) {
    float* panel = packed + first * lanes * depth;
    const std::size_t columns = count * lanes;
    const std::size_t begin = first * lanes;
    const std::size_t used = begin < width ? std::min(columns, width - begin) : 0;
    for (std::size_t k = 0; k < depth; ++k) {
      const float* from = source + k * k_stride + begin * n_stride;
      float* to = panel + k * columns;
      if (n_stride == 1 && used == columns) {
        const Floats d;
        for (std::size_t n = 0; n < columns; n += lanes) hn::StoreU(hn::LoadU(d, from + n), d, to + n);
      } else if (n_stride == 1) {
        std::copy_n(from, used, to);
      } else {
        for (std::size_t n = 0; n < used; ++n) to[n] = from[n * n_stride];
      }
      for (std::size_t n = used; n < columns; ++n) to[n] = 0.0f;
    }
  });
}

template <Epilogue kEpilogue>
HWY_INLINE void store_result(Vector value, float* c) {
  const Floats d;
  if constexpr (kEpilogue == Epilogue::kAdd) value = hn::Add(hn::LoadU(d, c), value);
  if constexpr (kEpilogue == Epilogue::kGelu) value = gelu_vector(value);
  hn::StoreU(value, d, c);
}

/// kRows rows of a times one panel of kVectors vectors; c[r] points at the tile's first column in row r. Element (r, k)
/// of a lies at a[r * row_stride + k * depth_stride]. kReadsColumns: depth_stride is long, so that the processor does
/// not see by itself that the columns beside these come next.
template <std::size_t kRows, std::size_t kVectors, Epilogue kEpilogue, bool kReadsColumns = false>
HWY_INLINE void tile(const float* HWY_RESTRICT a, std::size_t row_stride, std::size_t depth_stride,
                     const float* HWY_RESTRICT panel, std::size_t depth, const float* bias, float* const* c) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Vector sums[kRows][kVectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kVectors; ++v) {
    const auto start = bias != nullptr ? hn::LoadU(d, bias + v * lanes) : hn::Zero(d);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) sums[r][v] = start;
  }
  for (std::size_t k = 0; k < depth; ++k) {
    if constexpr (kReadsColumns) hwy::Prefetch(a + k * depth_stride + kRowAlignment);
    Vector b[kVectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) b[v] = hn::LoadU(d, panel + (k * kVectors + v) * lanes);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
      const auto factor = hn::Set(d, a[r * row_stride + k * depth_stride]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, b[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kVectors; ++v) store_result<kEpilogue>(sums[r][v], c[r] + v * lanes);
  }
}

/// Cuts the rows of a product into tiles and calls body<kRows>(row, c) for each: c[r] points at column `column` of the
/// tile's row r.
template <typename Args, typename Body>
HWY_INLINE void for_each_tile(const Args& args, std::size_t column, const Body& body) {
  float* c[kTileRows];
  for (std::size_t row = 0; row < args.rows; row += kTileRows) {
    const std::size_t rows = std::min(kTileRows, args.rows - row);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t c_row = args.c_rows != nullptr ? static_cast<std::size_t>(args.c_rows[row + r]) : row + r;
      c[r] = args.c + c_row * args.c_stride + column;
    }
    switch (rows) {
      case 1: body.template operator()<1>(row, c); break;
      case 2: body.template operator()<2>(row, c); break;
      case 3: body.template operator()<3>(row, c); break;
      case 4: body.template operator()<4>(row, c); break;
      case 5: body.template operator()<std::min<std::size_t>(5, kTileRows)>(row, c); break;
      case 6: body.template operator()<std::min<std::size_t>(6, kTileRows)>(row, c); break;
      case 7: body.template operator()<std::min<std::size_t>(7, kTileRows)>(row, c); break;
      default: body.template operator()<kTileRows>(row, c); break;
    }
  }
}

/// All rows of a times one panel of kVectors vectors.
template <std::size_t kVectors, Epilogue kEpilogue>
void panel_product(const MatmulArgs& args, std::size_t first_vector) {
  const std::size_t column = first_vector * hn::Lanes(Floats());
  const float* panel = args.b + column * args.depth;
  const float* bias = args.bias != nullptr ? args.bias + column : nullptr;
  for_each_tile(args, column, [&]<std::size_t kRows>(std::size_t row, float* const* c) HWY_ATTR {
    tile<kRows, kVectors, kEpilogue>(args.a + row * args.a_stride, args.a_stride, 1, panel, args.depth, bias, c);
  });
}

template <Epilogue kEpilogue>
void product(const MatmulArgs& args) {
  for_each_panel(args.width, [&](std::size_t first, std::size_t count) {
    switch (count) {
      case 1: panel_product<1, kEpilogue>(args, first); break;
      case 2: panel_product<2, kEpilogue>(args, first); break;
      default: panel_product<3, kEpilogue>(args, first); break;
    }
  });
}

inline void matmul(const MatmulArgs& args) noexcept {
  switch (args.epilogue) {
    case Epilogue::kStore: product<Epilogue::kStore>(args); break;
    case Epilogue::kAdd: product<Epilogue::kAdd>(args); break;
    case Epilogue::kGelu: product<Epilogue::kGelu>(args); break;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();
#endif
