// Layout from the top: title, legend, one row a bar, axis; from the left: labels, bars, their values.
#include "chart/bar_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chart/page.hpp"
#include "chart/line_chart.hpp"
#include "chart/scale.hpp"

namespace byteformer::chart {
namespace {

constexpr double kPlotWidth = 360, kValueWidth = 96, kGap = 8;
constexpr double kTitleHeight = 28, kLegendHeight = 20, kRowHeight = 22, kBarHeight = 13, kTicksHeight = 26;
constexpr const char* kFaint = R"(fill="currentColor" fill-opacity=".72" font-size="11")";
constexpr const char* kReferenceColor = kColors[3];

/// An upper estimate of the width of 12 pixel text, for fonts that nobody knows beforehand.
double text_width(const std::string& text) {
  const auto characters = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  return 7.0 * static_cast<double>(characters);
}

struct Plot {
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

std::string axis(const Plot& plot) {
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

std::string whisker(const Plot& plot, const Bar& bar, double y) {
  const double from = plot.px(bar.value - *bar.spread), to = plot.px(bar.value + *bar.spread);
  return fmt::format(
      R"(<path d="M{0:.1f} {2:.1f}H{1:.1f}M{0:.1f} {3:.1f}v6M{1:.1f} {3:.1f}v6" stroke="currentColor" fill="none"/>)",
      from, to, y, y - 3);
}

std::string row(const Plot& plot, const Bar& bar, double y) {
  std::string svg =
      fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end" font-size="12" fill="currentColor">{}</text>)",
                  plot.left - kGap, y + 4, escaped(bar.label));
  svg += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" fill="{}" fill-opacity=".85"/>)",
                     plot.left, y - kBarHeight / 2, plot.px(bar.value) - plot.left, kBarHeight, kColors[0]);
  if (bar.spread) svg += whisker(plot, bar, y);
  if (bar.reference) svg += diamond(plot.px(*bar.reference), y);
  return svg + fmt::format(R"(<text x="{:.1f}" y="{:.1f}" {}>{:.1f}{}</text>)", plot.left + kPlotWidth + kGap, y + 4,
                           kFaint, bar.value, bar.spread ? fmt::format(" ± {:.1f}", *bar.spread) : "");
}

std::string legend(const Plot& plot, const BarChartOptions& options) {
  const double y = kTitleHeight + 6, second = plot.left + 24 + text_width(options.name) + 2 * kGap;
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
  for (const Bar& bar : bars) label_width = std::max(label_width, text_width(bar.label));
  const double top = kTitleHeight + (has_legend ? kLegendHeight : 0);
  const Plot plot{scale_of(bars, options), label_width + 2 * kGap, top,
                  top + kRowHeight * static_cast<double>(bars.size())};
  const double width = plot.left + kPlotWidth + kGap + kValueWidth, height = plot.bottom + kTicksHeight;
  std::string svg = fmt::format(
      R"(<svg viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" role="img" aria-label="{2}" font-family="system-ui,sans-serif">)",
      width, height, escaped(title));
  svg += fmt::format(R"(<text x="{:.1f}" y="16" font-size="13" font-weight="600" fill="currentColor">{}</text>)",
                     plot.left, escaped(title));
  if (has_legend) svg += legend(plot, options);
  svg += axis(plot);
  for (std::size_t i = 0; i < bars.size(); ++i)
    svg += row(plot, bars[i], top + kRowHeight * (static_cast<double>(i) + 0.5));
  return svg + "</svg>";
}

}  // namespace byteformer::chart
