// Steps of 1, 2, 2.5 and 5 times a power of ten.
#include "chart/scale.hpp"

#include <cmath>

namespace byteformer::chart {
namespace {

constexpr double kRounding = 1e-9;  // of a step: what computing its multiples may lose

/// A round number such that a few of its multiples lie between the bounds.
double tick_step(double low, double high) {
  const double raw = (high - low) / 4;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0})
    if (factor * power >= raw) return factor * power;
  return 10 * power;
}

}  // namespace

Scale::Scale(double low, double high, bool is_logarithmic) : low_(low), high_(high), is_logarithmic_(is_logarithmic) {
  if (high > low) return;
  if (is_logarithmic)
    high_ = 2 * low_;
  else
    high_ = low_ + std::fmax(std::fabs(low_) / 2, low_ == 0 ? 1.0 : 0.0);
}

Scale Scale::rounded() const {
  if (is_logarithmic_) return *this;
  const double step = tick_step(low_, high_);
  return {std::floor(low_ / step + kRounding) * step, std::ceil(high_ / step - kRounding) * step, false};
}

double Scale::position(double value) const {
  if (is_logarithmic_) return std::log(value / low_) / std::log(high_ / low_);
  return (value - low_) / (high_ - low_);
}

std::vector<double> Scale::ticks() const {
  std::vector<double> ticks;
  if (!is_logarithmic_) {
    const double step = tick_step(low_, high_);
    for (double i = std::ceil(low_ / step - kRounding); i * step <= high_ + kRounding * step; ++i)
      ticks.push_back(i * step + 0.0);  // not -0
    return ticks;
  }
  const bool is_short = high_ / low_ < 1000;
  for (double power = std::floor(std::log10(low_)); power <= std::ceil(std::log10(high_)); ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor != 1 && !is_short) continue;
      const double tick = factor * std::pow(10.0, power);
      if (tick >= low_ * (1 - kRounding) && tick <= high_ * (1 + kRounding)) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace byteformer::chart
