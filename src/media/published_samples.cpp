// Implementation of published_samples.hpp.
#include "media/published_samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace byteformer::media {

float saturated(float x) noexcept { return std::isnan(x) ? 0.0f : std::clamp(x, -1.0f, 1.0f); }

float published_float(float x) noexcept {
  constexpr double kTwoTo31 = 2147483648.0;
  const double scaled = std::trunc(static_cast<double>(saturated(x)) * kTwoTo31);
  const auto fixed = static_cast<std::int64_t>(std::clamp(scaled, -kTwoTo31, kTwoTo31 - 1));
  if (fixed > (std::int64_t{1} << 31) - 65) return 1.0f;
  return static_cast<float>(static_cast<double>((fixed + 64) & ~std::int64_t{127}) / kTwoTo31);
}

}  // namespace byteformer::media
