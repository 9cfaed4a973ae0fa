// Compiles the training kernels once for each instruction set, and finds the table that belongs to a kernel table.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once a target
#include <hwy/highway.h>

#include <string_view>

#include "kernels/attention_backward-inl.hpp"
#include "kernels/training-inl.hpp"
#include "kernels/training_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

constexpr TrainingKernels make_training_table(const char* name) {
  return {name,          pack_columns,    add_outer_product,  attend_backward, layer_norm_backward,
          gelu_backward, add_column_sums, add_table_gradient, adamw};
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byteformer::kernels {
namespace {

constexpr TrainingKernels kTables[] = {
#if HWY_TARGETS & HWY_AVX3
    N_AVX3::make_training_table("avx512"),
#endif
#if HWY_TARGETS & HWY_AVX2
    N_AVX2::make_training_table("avx2"),
#endif
#if HWY_TARGETS & HWY_NEON
    N_NEON::make_training_table("neon"),
#endif
#if HWY_TARGETS & HWY_SCALAR
    N_SCALAR::make_training_table("portable"),
#elif HWY_TARGETS & HWY_EMU128
    N_EMU128::make_training_table("portable"),
#endif
};

}  // namespace

std::size_t attention_backward_scratch_size(std::size_t rows, std::size_t head_dim) {
  const std::size_t keys = padded(rows + 1);
  const std::size_t dim = padded(head_dim);
  return 7 * keys * dim + 4 * kQueryBlock * dim + 2 * kQueryBlock * keys;
}

const TrainingKernels& training_kernels_for(const Kernels& kernels) {
  for (const TrainingKernels& table : kTables)
    if (std::string_view(table.name) == kernels.name) return table;
  return kTables[0];  // both lists come from the same targets
}

}  // namespace byteformer::kernels
#endif
