// Compiles every kernel once per instruction set, and makes the list of instruction sets.
#include "kernels/instruction_sets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kernel_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once per target
#include <hwy/highway.h>

#include "kernels/attention-inl.hpp"
#include "kernels/kernels.hpp"
#include "kernels/math-inl.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

inline void exp_all(const float* x, std::size_t count, float* y) noexcept {
  const Floats d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) hn::StoreU(exp_vector(hn::LoadU(d, x + i)), d, y + i);
}

inline void gelu_all(const float* x, std::size_t count, float* y) noexcept {
  const Floats d;
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) hn::StoreU(gelu_vector(hn::LoadU(d, x + i)), d, y + i);
}

constexpr Kernels make_table(const char* name) {
  return {name, pack, matmul, layer_norm, attend, sum_table_rows, exp_all, gelu_all};
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byteformer::kernels {

std::span<const InstructionSet> instruction_sets() {
#define BYTEFORMER_ROW(target, name, requirement) {Requirement::requirement, target::make_table(#name), reduced_##name},
  static constexpr InstructionSet kAll[] = {BYTEFORMER_INSTRUCTION_SETS(BYTEFORMER_ROW)};
#undef BYTEFORMER_ROW
  return kAll;
}

}  // namespace byteformer::kernels
#endif
