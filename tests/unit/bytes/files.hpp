// Files for transforms to work on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.hpp"

namespace byteformer::bytes {

using File = std::vector<std::uint8_t>;

/// 0, 1, 2, ... modulo 256.
inline File counting(std::size_t num_bytes) {
  File file(num_bytes);
  for (std::size_t i = 0; i < num_bytes; ++i) file[i] = static_cast<std::uint8_t>(i);
  return file;
}

inline File random_file(std::size_t num_bytes, std::uint64_t seed = 1) {
  base::Random random(seed);
  File file(num_bytes);
  for (std::uint8_t& byte : file) byte = static_cast<std::uint8_t>(random.bits());
  return file;
}

}  // namespace byteformer::bytes
