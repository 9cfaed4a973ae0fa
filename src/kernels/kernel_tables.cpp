// Compiles every kernel once for each instruction set and lists the tables.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kernel_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once a target

#include <hwy/highway.h>

#include "kernels/attention-inl.hpp"
#include "kernels/kernel_tables.hpp"
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
namespace {

#if HWY_TARGETS & HWY_AVX3
constexpr Kernels kAvx512 = N_AVX3::make_table("avx512");
#endif
#if HWY_TARGETS & HWY_AVX2
constexpr Kernels kAvx2 = N_AVX2::make_table("avx2");
#endif
#if HWY_TARGETS & HWY_NEON
constexpr Kernels kNeon = N_NEON::make_table("neon");
#endif
#if HWY_TARGETS & HWY_SCALAR
constexpr Kernels kPortable = N_SCALAR::make_table("portable");
#elif HWY_TARGETS & HWY_EMU128
constexpr Kernels kPortable = N_EMU128::make_table("portable");
#endif

}  // namespace

std::span<const CompiledKernels> compiled_kernels() {
  static constexpr CompiledKernels kAll[] = {
#if HWY_TARGETS & HWY_AVX3
      {&kAvx512, Requirement::kAvx512},
#endif
#if HWY_TARGETS & HWY_AVX2
      {&kAvx2, Requirement::kAvx2},
#endif
#if HWY_TARGETS & HWY_NEON
      {&kNeon, Requirement::kNone},
#endif
#if HWY_TARGETS & (HWY_SCALAR | HWY_EMU128)
      {&kPortable, Requirement::kNone},
#endif
  };
  return kAll;
}

}  // namespace byteformer::kernels
#endif
