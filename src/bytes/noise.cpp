// Implementation of noise.hpp.
#include "bytes/noise.hpp"

#include <string>

#include "byteformer/error.hpp"

namespace byteformer::bytes {

void validate(const UniformNoise& noise) {
  if (noise.low > noise.high || noise.low < -UniformNoise::kMaxWidth || noise.high > UniformNoise::kMaxWidth)
    throw Error(ErrorCode::kInvalidArgument, "noise from " + std::to_string(noise.low) + " to " +
                                                 std::to_string(noise.high) + ": expected low <= high, both from " +
                                                 std::to_string(-UniformNoise::kMaxWidth) + " to " +
                                                 std::to_string(UniformNoise::kMaxWidth));
}

void add_noise(const UniformNoise& noise, std::span<std::uint8_t> bytes, base::Random& random) {
  const auto num_values = static_cast<std::uint64_t>(noise.high - noise.low) + 1;
  for (std::uint8_t& byte : bytes)
    byte = static_cast<std::uint8_t>(byte + noise.low + static_cast<int>(random.below(num_values)));
}

}  // namespace byteformer::bytes
