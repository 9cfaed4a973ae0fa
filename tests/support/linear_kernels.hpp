// Every way in which this machine can compute a model: instruction sets, and the precisions that go with each.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "nn/linear.hpp"
#include "support/effort.hpp"

namespace byteformer::test {

struct NamedKernels {
  std::string name;  ///< "avx2", "avx512_int8_vnni", ...
  nn::LinearKernels kernels;
};

inline void PrintTo(const NamedKernels& kernels, std::ostream* out) { *out << kernels.name; }

/// The instruction sets of this machine that a test runs.
inline std::vector<const kernels::Kernels*> kernels_to_test() {
  const auto available = kernels::available_kernels();
  std::vector<const kernels::Kernels*> all(available.begin(), available.end());
  if (kOnlyThreadsMatter && all.size() > 1)
    std::erase_if(all, [](const auto* kernels) { return std::string_view(kernels->name) == "portable"; });
  return all;
}

inline std::vector<NamedKernels> all_linear_kernels() {
  std::vector<NamedKernels> all;
  for (const kernels::Kernels* full : kernels_to_test()) {
    all.push_back({full->name, *full});
    for (const kernels::ReducedKernels* reduced : kernels::available_reduced_kernels(*full))
      all.push_back({std::string(full->name) + "_" + reduced->name, {*full, reduced}});
  }
  return all;
}

}  // namespace byteformer::test
