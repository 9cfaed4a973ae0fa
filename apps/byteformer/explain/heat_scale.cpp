// The scale of heat, its colours, and its peaks.
#include <algorithm>
#include <cmath>

#include "explain/explanation.hpp"

namespace byteformer::cli {

HeatScale::HeatScale(std::span<const float> heat) noexcept {
  for (const float h : heat)
    if (std::isfinite(h)) greatest_ = std::max(greatest_, std::abs(static_cast<double>(h)));
}

double HeatScale::share(float heat) const noexcept {
  return std::isfinite(heat) && greatest_ > 0 ? static_cast<double>(heat) / greatest_ : 0;
}

int HeatScale::level(float heat) const noexcept { return static_cast<int>(std::lround(share(heat) * kLevels)); }

Rgb tinted(const Rgb& background, double share) noexcept {
  const Rgb& colour = share > 0 ? kForColour : kAgainstColour;
  const double opacity = std::min(1.0, std::abs(share));
  Rgb mixed{};
  for (std::size_t i = 0; i < mixed.size(); ++i)
    mixed[i] = static_cast<std::uint8_t>(std::lround(opacity * colour[i] + (1 - opacity) * background[i]));
  return mixed;
}

std::vector<Peaks> peaks_of(std::span<const float> heat, std::size_t num_parts, const HeatScale& scale) {
  std::vector<Peaks> peaks(std::min(num_parts, heat.size()));
  for (std::size_t part = 0; part < peaks.size(); ++part) {
    const std::size_t end = heat.size() * (part + 1) / peaks.size();
    for (std::size_t i = heat.size() * part / peaks.size(); i < end; ++i) {
      peaks[part].speaks_for = std::max(peaks[part].speaks_for, scale.share(heat[i]));
      peaks[part].speaks_against = std::max(peaks[part].speaks_against, -scale.share(heat[i]));
    }
  }
  return peaks;
}

}  // namespace byteformer::cli
