// Chooses among the compiled kernels by what the processor has and what the user says.
#include "kernels/kernels.hpp"

#include <cstdlib>
#include <string>

#include "byteformer/error.hpp"
#include "kernels/instruction_sets.hpp"

namespace byteformer::kernels {

bool processor_has([[maybe_unused]] Requirement requirement) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("bmi");
  switch (requirement) {
    case Requirement::kNone: return true;
    case Requirement::kAvx2: return avx2;
    case Requirement::kAvx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    case Requirement::kAvx512Vnni: return processor_has(Requirement::kAvx512) && __builtin_cpu_supports("avx512vnni");
    case Requirement::kAvx512Bf16: return processor_has(Requirement::kAvx512) && __builtin_cpu_supports("avx512bf16");
  }
#endif
  return requirement == Requirement::kNone;
}

std::size_t attention_scratch_size(std::size_t rows, std::size_t head_dim) {
  constexpr std::size_t kMostTileRows = 8;
  const std::size_t keys = rows + 1;
  return packed_size(head_dim, keys) + packed_size(keys, head_dim) + kMostTileRows * (padded(keys) + padded(head_dim)) +
         2 * keys * padded(head_dim) + kRowAlignment;
}

std::span<const Kernels* const> available_kernels() {
  static const std::vector<const Kernels*> available = [] {
    std::vector<const Kernels*> list;
    for (const InstructionSet& set : instruction_sets())
      if (processor_has(set.requirement)) list.push_back(&set.kernels);
    return list;
  }();
  return available;
}

const Kernels& default_kernels() {
  const auto available = available_kernels();
  const char* wanted = std::getenv("BYTEFORMER_KERNELS");
  if (wanted == nullptr || *wanted == '\0') return *available.front();
  std::string names;
  for (const Kernels* kernels : available) {
    if (kernels->name == std::string_view(wanted)) return *kernels;
    names += std::string(names.empty() ? "" : ", ") + kernels->name;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "BYTEFORMER_KERNELS=" + std::string(wanted) + ": this machine has no such kernels; it has " + names);
}

}  // namespace byteformer::kernels
