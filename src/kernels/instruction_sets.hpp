// The instruction sets that kernels are compiled for: one row per set, from which every table of kernels is made.
//
// A file that compiles kernels includes this before anything of Highway, which then includes that file per set.
#pragma once

#ifdef BYTEFORMER_WITHOUT_AVX512
#define HWY_DISABLED_TARGETS (~(HWY_AVX2 | HWY_NEON | HWY_EMU128 | HWY_SCALAR))
#else
#define HWY_DISABLED_TARGETS (~(HWY_AVX3 | HWY_AVX2 | HWY_NEON | HWY_EMU128 | HWY_SCALAR))
#endif
#include <hwy/detect_targets.h>

#include <span>

#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"

// BYTEFORMER_INSTRUCTION_SETS(ROW): ROW(Highway's namespace, name, Requirement), best first, of those in this build.
#if HWY_TARGETS & HWY_AVX3
#define BYTEFORMER_AVX512(ROW) ROW(N_AVX3, avx512, kAvx512)
#else
#define BYTEFORMER_AVX512(ROW)
#endif
#if HWY_TARGETS & HWY_AVX2
#define BYTEFORMER_AVX2(ROW) ROW(N_AVX2, avx2, kAvx2)
#else
#define BYTEFORMER_AVX2(ROW)
#endif
#if HWY_TARGETS & HWY_NEON
#define BYTEFORMER_NEON(ROW) ROW(N_NEON, neon, kNone)
#else
#define BYTEFORMER_NEON(ROW)
#endif
#if HWY_TARGETS & HWY_SCALAR
#define BYTEFORMER_PORTABLE(ROW) ROW(N_SCALAR, portable, kNone)
#elif HWY_TARGETS & HWY_EMU128
#define BYTEFORMER_PORTABLE(ROW) ROW(N_EMU128, portable, kNone)
#else
#define BYTEFORMER_PORTABLE(ROW)
#endif
#define BYTEFORMER_INSTRUCTION_SETS(ROW) \
  BYTEFORMER_AVX512(ROW) BYTEFORMER_AVX2(ROW) BYTEFORMER_NEON(ROW) BYTEFORMER_PORTABLE(ROW)

namespace byteformer::kernels {

/// What a processor must have.
enum class Requirement { kNone, kAvx2, kAvx512, kAvx512Vnni, kAvx512Bf16 };

bool processor_has(Requirement requirement);

/// Kernels of lower precision and what they need beyond their instruction set.
struct ReducedRow {
  Requirement requirement;
  ReducedKernels kernels;
};

/// One instruction set. Its training kernels are in a library of their own, which makes its table from the same rows.
struct InstructionSet {
  Requirement requirement;
  Kernels kernels;
  std::span<const ReducedRow> (*reduced)();  ///< best first; none where float32 is as fast
};

/// Best first.
std::span<const InstructionSet> instruction_sets();

#define BYTEFORMER_DECLARE(target, name, requirement) std::span<const ReducedRow> reduced_##name();
BYTEFORMER_INSTRUCTION_SETS(BYTEFORMER_DECLARE)
#undef BYTEFORMER_DECLARE

}  // namespace byteformer::kernels
