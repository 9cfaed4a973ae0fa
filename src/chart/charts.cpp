// Lays charts out from the top: title, legend, plot, axis. Lines: the legend beside the title where it fits, else in
// rows of its own. Bars: one row each, and from the left labels, bars, their values.
#include "chart/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.hpp"
#include "chart/page.hpp"

namespace byteformer::chart {
namespace {

constexpr double kRounding = 1e-9;  // of a step: what computing its multiples may lose

/// A round number, 1, 2, 2.5 or 5 times a power of ten, such that a few of its multiples lie between the bounds.
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

// What both charts share.

namespace {

constexpr double kTitleHeight = 28, kTicksHeight = 26;
constexpr const char* kFaint = R"(fill="currentColor" fill-opacity=".72" font-size="11")";

/// An upper estimate of the width of 12 pixel text, for fonts that nobody knows beforehand.
double text_width(const std::string& text, double character) {
  const auto characters = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  return character * static_cast<double>(characters);
}

/// The start of a chart, with its title at `left`.
std::string opening(const std::string& title, const std::string& left, double width, double height) {
  return fmt::format(
             R"(<svg viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" role="img" aria-label="{2}" font-family="system-ui,sans-serif">)",
             width, height, escaped(title)) +
         fmt::format(R"(<text x="{}" y="16" font-size="13" font-weight="600" fill="currentColor">{}</text>)", left,
                     escaped(title));
}

// Lines.

constexpr double kWidth = 460, kPlotHeight = 182, kLeft = 62, kRight = 14;
constexpr double kRowHeight = 18, kLabelHeight = 18, kSwatch = 18, kGap = 14;
constexpr double kCharacter = 7.2;

struct Entry {
  const Series* series;
  double x, y;  ///< of the left end, baseline
};

/// Where the names of the series stand, and the height that they take below the title.
struct Legend {
  std::vector<Entry> entries;
  double height = 0;
};

Legend legend_of(const std::string& title, const std::vector<Series>& series) {
  Legend legend;
  double total = 0;
  for (const Series& s : series) total += s.name.empty() ? 0 : kSwatch + text_width(s.name, kCharacter) + kGap;
  const bool fits_beside_title = kLeft + 1.1 * text_width(title, kCharacter) + kGap + total <= kWidth;
  double x = fits_beside_title ? kWidth - total : kLeft, y = fits_beside_title ? 16 : 16 + kRowHeight;
  for (const Series& s : series) {
    if (s.name.empty()) continue;
    const double width = kSwatch + text_width(s.name, kCharacter);
    if (x > kLeft && x + width > kWidth) x = kLeft, y += kRowHeight;
    legend.entries.push_back({&s, x, y});
    x += width + kGap;
  }
  if (!fits_beside_title && !legend.entries.empty()) legend.height = y - 16;
  return legend;
}

void check(const std::vector<double>& values, const Axis& axis) {
  if (axis.is_logarithmic && std::ranges::any_of(values, [](double v) { return v <= 0; }))
    base::fail(ErrorCode::kInvalidArgument, "a logarithmic axis shows values above 0 only");
}

std::optional<Scale> scale_of(const std::vector<Series>& series, std::vector<double> Series::*values,
                              const Axis& axis) {
  double low = axis.low.value_or(INFINITY), high = axis.high.value_or(-INFINITY);
  for (const Series& s : series) {
    if (s.x.size() != s.y.size())
      base::fail(ErrorCode::kInvalidArgument, "series \"", s.name, "\" has ", s.x.size(), " x and ", s.y.size(), " y");
    check(s.*values, axis);
    for (const double v : s.*values)
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  if (!std::isfinite(low) || !std::isfinite(high)) return std::nullopt;
  return Scale(low, high, axis.is_logarithmic);
}

/// The rectangle that the curves are drawn in, with its scales.
struct Plot {
  Scale x, y;
  double top;

  double px(double value) const { return kLeft + x.position(value) * (kWidth - kLeft - kRight); }
  double py(double value) const { return top + (1 - y.position(value)) * kPlotHeight; }
};

std::string axes(const Plot& plot, const std::string& x_label) {
  std::string svg;
  for (const double tick : plot.y.ticks()) {
    svg +=
        fmt::format(R"(<line x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}" stroke="currentColor" stroke-opacity=".13"/>)",
                    kLeft, kWidth - kRight, plot.py(tick));
    svg += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end" {}>{:.10g}</text>)", kLeft - 6, plot.py(tick) + 4,
                       kFaint, tick);
  }
  const double bottom = plot.top + kPlotHeight;
  for (const double tick : plot.x.ticks())
    svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" {}>{:.10g}</text>)", plot.px(tick),
                       bottom + 18, kFaint, tick);
  if (!x_label.empty())
    svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" {}>{}</text>)",
                       (kLeft + kWidth - kRight) / 2, bottom + kTicksHeight + 9, kFaint, escaped(x_label));
  return svg;
}

std::string curve(const Plot& plot, const Series& s, const std::string& style) {
  std::string svg;
  const auto is_drawn = [&](std::size_t i) { return i < s.x.size() && std::isfinite(s.x[i]) && std::isfinite(s.y[i]); };
  for (std::size_t begin = 0; begin < s.x.size(); ++begin) {
    std::string points;
    std::size_t end = begin;
    for (; is_drawn(end); ++end) {
      points += fmt::format("{:.1f},{:.1f} ", plot.px(s.x[end]), plot.py(s.y[end]));
      if (s.has_markers || (end == begin && !is_drawn(end + 1)))
        svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)", plot.px(s.x[end]), plot.py(s.y[end]),
                           s.color);
    }
    if (end > begin + 1) svg += fmt::format(R"(<polyline {} points="{}"/>)", style, points);
    begin = end;
  }
  return svg;
}

std::string line_style(const Series& s) {
  return fmt::format(R"(fill="none" stroke="{}" stroke-width="1.8"{})", s.color,
                     s.is_dashed ? R"( stroke-dasharray="5 4")" : "");
}

std::string drawn(const Legend& legend) {
  std::string svg;
  for (const auto& [series, x, y] : legend.entries) {
    svg += fmt::format(R"(<line x1="{0:.1f}" x2="{1:.1f}" y1="{2}" y2="{2}" {3}/>)", x, x + kSwatch - 4, y - 4,
                       line_style(*series));
    svg += fmt::format(R"(<text x="{:.1f}" y="{}" font-size="12" fill="currentColor">{}</text>)", x + kSwatch, y,
                       escaped(series->name));
  }
  return svg;
}

std::vector<Series> colored(std::vector<Series> series) {
  std::size_t next = 0;
  for (Series& s : series)
    if (s.color.empty()) s.color = kColors[next++ % std::size(kColors)];
  return series;
}

}  // namespace

std::string line_chart(const std::string& title, const Axis& x, const std::vector<Series>& series, const Axis& y) {
  const std::vector<Series> curves = colored(series);
  const auto x_scale = scale_of(curves, &Series::x, x), y_scale = scale_of(curves, &Series::y, y);
  const Legend legend = legend_of(title, curves);
  const double label_top = kTitleHeight + legend.height, top = label_top + (y.label.empty() ? 0 : kLabelHeight);
  const double height = top + kPlotHeight + kTicksHeight + (x.label.empty() ? 4 : kLabelHeight);
  std::string svg = opening(title, fmt::format("{}", kLeft), kWidth, height) + drawn(legend);
  if (!y.label.empty())
    svg += fmt::format(R"(<text x="{}" y="{}" {}>{}</text>)", kLeft, label_top + 6, kFaint, escaped(y.label));
  if (!x_scale || !y_scale) {
    svg += fmt::format(R"(<text x="{}" y="{}" {}>nothing was measured</text>)", kLeft, top + kPlotHeight / 2, kFaint);
    return svg + "</svg>";
  }
  const Plot plot{*x_scale, y_scale->rounded(), top};
  svg += axes(plot, x.label);
  for (const Series& s : curves) svg += curve(plot, s, line_style(s));
  return svg + "</svg>";
}

std::string svg_file(const std::string& svg) {
  constexpr std::string_view kOpening = "<svg ";
  if (!svg.starts_with(kOpening)) base::fail(ErrorCode::kInternal, "this is no <svg> element");
  const std::size_t inside = svg.find('>') + 1;
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + svg.substr(kOpening.size(), inside - kOpening.size()) +
         "<style>svg{color:#1c2430}@media(prefers-color-scheme:dark){svg{color:#e6e9ee}}</style>" + svg.substr(inside) +
         "\n";
}

// Bars.

namespace {

constexpr double kPlotWidth = 360, kValueWidth = 96, kBarGap = 8;
constexpr double kLegendHeight = 20, kBarRowHeight = 22, kBarHeight = 13;
constexpr double kBarCharacter = 7.0;
constexpr const char* kReferenceColor = kColors[3];

struct BarPlot {
  Scale scale;
  double left, top, bottom;
  double px(double value) const { return left + std::clamp(scale.position(value), 0.0, 1.0) * kPlotWidth; }
};

Scale scale_of(const std::vector<Bar>& bars, const BarChartOptions& options) {
  double low = options.low, high = options.high;
  for (const Bar& bar : bars)
    for (const double value : {bar.value, bar.reference.value_or(bar.value)})
      if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
  return Scale(low, high, false).rounded();
}

std::string axis(const BarPlot& plot) {
  std::string svg;
  for (const double tick : plot.scale.ticks()) {
    svg += fmt::format(
        R"(<line x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}" stroke="currentColor" stroke-opacity=".13"/>)",
        plot.px(tick), plot.top, plot.bottom);
    svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" {}>{:.10g}</text>)", plot.px(tick),
                       plot.bottom + 16, kFaint, tick);
  }
  return svg;
}

std::string diamond(double x, double y) {
  return fmt::format(R"(<path d="M{:.1f} {:.1f}l6 6 -6 6 -6 -6z" fill="{}" stroke="#fff" stroke-width="1.2"/>)", x,
                     y - 6, kReferenceColor);
}

std::string whisker(const BarPlot& plot, const Bar& bar, double y) {
  const double from = plot.px(bar.value - *bar.spread), to = plot.px(bar.value + *bar.spread);
  return fmt::format(
      R"(<path d="M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}v6M{1:.1f} {3:.1f}v6" stroke="currentColor" fill="none"/>)",
      from, to, y, y - 3);
}

std::string row(const BarPlot& plot, const Bar& bar, double y) {
  std::string svg =
      fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end" font-size="12" fill="currentColor">{}</text>)",
                  plot.left - kBarGap, y + 4, escaped(bar.label));
  svg += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" fill="{}" fill-opacity=".85"/>)",
                     plot.left, y - kBarHeight / 2, plot.px(bar.value) - plot.left, kBarHeight, kColors[0]);
  if (bar.spread) svg += whisker(plot, bar, y);
  if (bar.reference) svg += diamond(plot.px(*bar.reference), y);
  return svg + fmt::format(R"(<text x="{:.1f}" y="{:.1f}" {}>{:.1f}{}</text>)", plot.left + kPlotWidth + kBarGap, y + 4,
                           kFaint, bar.value, bar.spread ? fmt::format(" ± {:.1f}", *bar.spread) : "");
}

std::string legend(const BarPlot& plot, const BarChartOptions& options) {
  const double y = kTitleHeight + 6, second = plot.left + 24 + text_width(options.name, kBarCharacter) + 2 * kBarGap;
  return fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="14" height="10" fill="{}" fill-opacity=".85"/>)", plot.left,
                     y - 5, kColors[0]) +
         fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="12" fill="currentColor">{}</text>)", plot.left + 20,
                     y + 4, escaped(options.name)) +
         diamond(second, y) +
         fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="12" fill="currentColor">{}</text>)", second + 12, y + 4,
                     escaped(options.reference_name));
}

}  // namespace

std::string bar_chart(const std::string& title, const std::vector<Bar>& bars, const BarChartOptions& options) {
  const bool has_legend = std::ranges::any_of(bars, [](const Bar& bar) { return bar.reference.has_value(); });
  double label_width = 0;
  for (const Bar& bar : bars) label_width = std::max(label_width, text_width(bar.label, kBarCharacter));
  const double top = kTitleHeight + (has_legend ? kLegendHeight : 0);
  const BarPlot plot{scale_of(bars, options), label_width + 2 * kBarGap, top,
                     top + kBarRowHeight * static_cast<double>(bars.size())};
  const double width = plot.left + kPlotWidth + kBarGap + kValueWidth, height = plot.bottom + kTicksHeight;
  std::string svg = opening(title, fmt::format("{:.1f}", plot.left), width, height);
  if (has_legend) svg += legend(plot, options);
  svg += axis(plot);
  for (std::size_t i = 0; i < bars.size(); ++i)
    svg += row(plot, bars[i], top + kBarRowHeight * (static_cast<double>(i) + 0.5));
  return svg + "</svg>";
}

}  // namespace byteformer::chart
