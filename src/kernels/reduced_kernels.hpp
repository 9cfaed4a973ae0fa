// Matrix products whose operands have fewer bits than float32, so that one instruction multiplies more of them.
//
// Values lie in groups of 32 bits along the depth: 4 bytes or 2 bfloat16. A group of a row meets the groups of a vector
// of columns, and their products are added to one sum per column.
#pragma once

#include <cstddef>
#include <cstdint>

#include "byteformer/precision.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::kernels {

/// What a row's bytes mean: byte q stands for lowest + scale q. Not used for bfloat16.
struct RowRange {
  float scale = 0;
  float lowest = 0;
};

/// c[row] = epilogue(a[row] * b + bias) for a few rows and one packed matrix.
struct ReducedMatmulArgs {
  const std::uint32_t* a = nullptr;  ///< [rows, groups]
  const RowRange* ranges = nullptr;  ///< [rows]
  std::size_t rows = 0;
  const std::uint32_t* b = nullptr;      ///< packed [groups, padded(width)]
  const float* column_scales = nullptr;  ///< [padded(width)]
  const float* column_sums = nullptr;    ///< [padded(width)]: the weights of a column added up
  std::size_t groups = 0;
  std::size_t width = 0;
  const float* bias = nullptr;  ///< [padded(width)]
  float* c = nullptr;           ///< rows of padded(width) floats, `c_stride` floats from row to row
  std::size_t c_stride = 0;
  const std::int32_t* c_rows = nullptr;  ///< [rows]: row r is stored at row c_rows[r] of c; null means r
  Epilogue epilogue = Epilogue::kStore;
};

/// One precision's kernels for one instruction set. The contract is that of Kernels: a row's result does not depend on
/// the rows around it.
struct ReducedKernels {
  const char* name;  ///< "int8_vnni", ...
  Precision precision;
  std::size_t values_per_group;

  /// Groups of a row of `depth` values: padded(depth) of them are read, and the padding is zero.
  std::size_t groups(std::size_t depth) const noexcept { return padded(depth) / values_per_group; }

  /// Packs weight [width, depth] into groups(depth) * padded(width) groups, and fills scales and sums [padded(width)].
  void (*pack)(const float* weight, std::size_t depth, std::size_t width, std::uint32_t* packed, float* column_scales,
               float* column_sums) noexcept;

  /// Rows of padded(depth) floats, `x_stride` floats from row to row, become rows of groups(depth) groups.
  void (*reduce_rows)(const float* x, std::size_t x_stride, std::size_t rows, std::size_t depth, std::uint32_t* groups,
                      RowRange* ranges) noexcept;

  void (*matmul)(const ReducedMatmulArgs& args) noexcept;
};

/// The fastest kernels of `precision` that go with `kernels` on this machine; null for float32.
/// \throws Error kUnsupported where none is faster than float32.
const ReducedKernels* reduced_kernels_for(const Kernels& kernels, Precision precision);

/// All that this machine can run beside `kernels`, for tests and benchmarks.
std::vector<const ReducedKernels*> available_reduced_kernels(const Kernels& kernels);

}  // namespace byteformer::kernels
