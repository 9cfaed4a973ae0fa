// Compiles the training kernels once per instruction set, and finds the table that belongs to a kernel table.
#include "kernels/instruction_sets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/training_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once per target
#include <hwy/highway.h>

#include <string>
#include <string_view>

#include "byteformer/error.hpp"
#include "kernels/attention_backward-inl.hpp"
#include "kernels/training-inl.hpp"
#include "kernels/training_kernels.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

constexpr TrainingKernels make_training_table(const char* name) {
  return {name,
          pack_columns,
          add_outer_product,
          attend_backward,
          layer_norm_backward,
          gelu_backward,
          add_column_sums,
          add_table_gradient,
          adamw};
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byteformer::kernels {
namespace {

#define BYTEFORMER_ROW(target, name, requirement) target::make_training_table(#name),
constexpr TrainingKernels kTables[] = {BYTEFORMER_INSTRUCTION_SETS(BYTEFORMER_ROW)};
#undef BYTEFORMER_ROW

}  // namespace

std::size_t attention_backward_scratch_size(std::size_t rows, std::size_t head_dim) {
  const std::size_t keys = padded(rows + 1);
  const std::size_t dim = padded(head_dim);
  return 7 * keys * dim + 4 * kQueryBlock * dim + 2 * kQueryBlock * keys;
}

const TrainingKernels& training_kernels_for(const Kernels& kernels) {
  for (const TrainingKernels& table : kTables)
    if (std::string_view(table.name) == kernels.name) return table;
  throw Error(ErrorCode::kInternal,
              "there are no training kernels for the kernels `" + std::string(kernels.name) + "`");
}

}  // namespace byteformer::kernels
#endif
