// Every way in which this machine can compute a model: instruction sets, and the precisions that go with each.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "nn/linear.hpp"

namespace byteformer::test {

struct NamedKernels {
  std::string name;  ///< "avx2", "avx512_int8_vnni", ...
  nn::LinearKernels kernels;
};

inline void PrintTo(const NamedKernels& kernels, std::ostream* out) { *out << kernels.name; }

inline std::vector<NamedKernels> all_linear_kernels() {
  std::vector<NamedKernels> all;
  for (const kernels::Kernels* full : kernels::available_kernels()) {
    all.push_back({full->name, *full});
    for (const kernels::ReducedKernels* reduced : kernels::available_reduced_kernels(*full))
      all.push_back({std::string(full->name) + "_" + reduced->name, {*full, reduced}});
  }
  return all;
}

}  // namespace byteformer::test
