// The tables that this build contains, and what a processor must have to run them.
#pragma once

#include <span>

#include "kernels/kernels.hpp"

namespace byteformer::kernels {

enum class Requirement { kNone, kAvx2, kAvx512, kAvx512Vnni, kAvx512Bf16 };

bool processor_has(Requirement requirement);

struct CompiledKernels {
  const Kernels* kernels;
  Requirement requirement;
};

/// Best first.
std::span<const CompiledKernels> compiled_kernels();

}  // namespace byteformer::kernels
