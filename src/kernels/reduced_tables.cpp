// Compiles the kernels of lower precision for the instruction sets on which they are faster than float32, and chooses.
#define HWY_DISABLED_TARGETS (~(HWY_AVX2 | HWY_AVX3 | HWY_SCALAR | HWY_EMU128 | HWY_NEON))
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduced_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once a target
#include <hwy/highway.h>

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
#include "kernels/reduced-inl.hpp"
#endif

#if HWY_ONCE
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/error.hpp"
#include "kernels/kernel_tables.hpp"
#include "kernels/reduced_kernels.hpp"

namespace byteformer::kernels {
namespace {

struct CompiledReduced {
  std::string_view kernels;  // the name of the float32 kernels that it goes with
  Requirement requirement;   // beyond what those need
  ReducedKernels table;
};

/// Best first.
std::span<const CompiledReduced> compiled_reduced_kernels() {
#if HWY_TARGETS & (HWY_AVX2 | HWY_AVX3)
  static constexpr CompiledReduced kAll[] = {
#if HWY_TARGETS & HWY_AVX3
    {"avx512", Requirement::kAvx512Vnni, N_AVX3::make_reduced_table<N_AVX3::VnniBytes>("int8_vnni", Precision::kInt8)},
    {"avx512", Requirement::kNone, N_AVX3::make_reduced_table<N_AVX3::PairedBytes>("int8", Precision::kInt8)},
    {"avx512", Requirement::kAvx512Bf16,
     N_AVX3::make_reduced_table<N_AVX3::Bfloat16>("bfloat16", Precision::kBfloat16)},
#endif
#if HWY_TARGETS & HWY_AVX2
    {"avx2", Requirement::kNone, N_AVX2::make_reduced_table<N_AVX2::PairedBytes>("int8", Precision::kInt8)},
#endif
  };
  return kAll;
#else
  return {};
#endif
}

}  // namespace

std::vector<const ReducedKernels*> available_reduced_kernels(const Kernels& kernels) {
  std::vector<const ReducedKernels*> available;
  for (const CompiledReduced& compiled : compiled_reduced_kernels())
    if (compiled.kernels == kernels.name && processor_has(compiled.requirement)) available.push_back(&compiled.table);
  return available;
}

const ReducedKernels* reduced_kernels_for(const Kernels& kernels, Precision precision) {
  if (precision == Precision::kFloat32) return nullptr;
  for (const ReducedKernels* reduced : available_reduced_kernels(kernels))
    if (reduced->precision == precision) return reduced;
  throw Error(ErrorCode::kUnsupported,
              std::string(to_string(precision)) + " is not faster than float32 with the kernels `" + kernels.name +
                  "` on this processor; " +
                  (precision == Precision::kBfloat16 ? "it needs AVX-512 with BF16" : "it needs AVX2 or AVX-512") +
                  ". Use float32.");
}

}  // namespace byteformer::kernels
#endif
