// Uniform noise on byte values.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.hpp"

namespace byteformer::bytes {

/// An integer from `low` to `high`, drawn for each byte and added modulo 256.
struct UniformNoise {
  static constexpr int kMaxWidth = 255;

  int low = 0;   ///< from -kMaxWidth, at most `high`
  int high = 0;  ///< up to kMaxWidth
  bool operator==(const UniformNoise&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const UniformNoise& noise);

/// In place; one draw a byte.
void add_noise(const UniformNoise& noise, std::span<std::uint8_t> bytes, base::Random& random);

}  // namespace byteformer::bytes
