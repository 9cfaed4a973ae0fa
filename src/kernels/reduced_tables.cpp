// Compiles the kernels of lower precision for the instruction sets on which they are faster than float32, and chooses.
#include "kernels/instruction_sets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduced_tables.cpp"
#include <hwy/foreach_target.h>  // includes this file once per target
#include <hwy/highway.h>

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
#include "kernels/reduced-inl.hpp"
#endif

HWY_BEFORE_NAMESPACE();
namespace byteformer::kernels {
namespace HWY_NAMESPACE {

inline std::span<const ReducedRow> reduced_rows() {
#if HWY_TARGET == HWY_AVX3
  static constexpr ReducedRow kRows[] = {
      {Requirement::kAvx512Vnni, make_reduced_table<VnniBytes>("int8_vnni", Precision::kInt8)},
      {Requirement::kNone, make_reduced_table<PairedBytes>("int8", Precision::kInt8)},
      {Requirement::kAvx512Bf16, make_reduced_table<Bfloat16>("bfloat16", Precision::kBfloat16)},
  };
  return kRows;
#elif HWY_TARGET == HWY_AVX2
  static constexpr ReducedRow kRows[] = {
      {Requirement::kNone, make_reduced_table<PairedBytes>("int8", Precision::kInt8)},
  };
  return kRows;
#else
  return {};
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace byteformer::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/error.hpp"

namespace byteformer::kernels {

#define BYTEFORMER_DEFINE(target, name, requirement) \
  std::span<const ReducedRow> reduced_##name() { return target::reduced_rows(); }
BYTEFORMER_INSTRUCTION_SETS(BYTEFORMER_DEFINE)
#undef BYTEFORMER_DEFINE

std::vector<const ReducedKernels*> available_reduced_kernels(const Kernels& kernels) {
  std::vector<const ReducedKernels*> available;
  for (const InstructionSet& set : instruction_sets()) {
    if (std::string_view(set.kernels.name) != kernels.name) continue;
    for (const ReducedRow& row : set.reduced())
      if (processor_has(row.requirement)) available.push_back(&row.kernels);
  }
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
