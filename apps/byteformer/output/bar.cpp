// Bars of block characters or of #.
#include "output/bar.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace byteformer::cli {

std::string bar(double fraction, std::size_t columns, bool has_unicode) {
  static constexpr std::array kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double filled = (fraction > 0 ? std::min(fraction, 1.0) : 0.0) * static_cast<double>(columns);
  if (!has_unicode) return std::string(static_cast<std::size_t>(std::lround(filled)), '#');
  const auto eighths = static_cast<std::size_t>(std::lround(filled * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

}  // namespace byteformer::cli
