// Layout from the top: title, legend (beside the title where it fits, else in rows of its own), plot, x axis.
#include "chart/line_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "byteformer/error.hpp"
#include "chart/page.hpp"
#include "chart/scale.hpp"

namespace byteformer::chart {
namespace {

constexpr double kWidth = 460, kPlotHeight = 182, kLeft = 62, kRight = 14;
constexpr double kTitleHeight = 28, kRowHeight = 18, kTicksHeight = 26, kLabelHeight = 18;
constexpr double kSwatch = 18, kGap = 14;
constexpr const char* kFaint = R"(fill="currentColor" fill-opacity=".72" font-size="11")";

/// An upper estimate of the width of 12 pixel text, for fonts that nobody knows beforehand.
double text_width(const std::string& text) {
  const auto characters = std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
  return 7.2 * static_cast<double>(characters);
}

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
  for (const Series& s : series) total += s.name.empty() ? 0 : kSwatch + text_width(s.name) + kGap;
  const bool fits_beside_title = kLeft + 1.1 * text_width(title) + kGap + total <= kWidth;
  double x = fits_beside_title ? kWidth - total : kLeft, y = fits_beside_title ? 16 : 16 + kRowHeight;
  for (const Series& s : series) {
    if (s.name.empty()) continue;
    const double width = kSwatch + text_width(s.name);
    if (x > kLeft && x + width > kWidth) x = kLeft, y += kRowHeight;
    legend.entries.push_back({&s, x, y});
    x += width + kGap;
  }
  if (!fits_beside_title && !legend.entries.empty()) legend.height = y - 16;
  return legend;
}

void check(const std::vector<double>& values, const Axis& axis) {
  if (axis.is_logarithmic && std::ranges::any_of(values, [](double v) { return v <= 0; }))
    throw Error(ErrorCode::kInvalidArgument, "a logarithmic axis shows values above 0 only");
}

std::optional<Scale> scale_of(const std::vector<Series>& series, std::vector<double> Series::*values,
                              const Axis& axis) {
  double low = axis.low.value_or(INFINITY), high = axis.high.value_or(-INFINITY);
  for (const Series& s : series) {
    if (s.x.size() != s.y.size())
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("series \"{}\" has {} x and {} y", s.name, s.x.size(), s.y.size()));
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
  std::string svg = fmt::format(
      R"(<svg viewBox="0 0 {0} {1}" width="{0}" role="img" aria-label="{2}" font-family="system-ui,sans-serif">)",
      kWidth, height, escaped(title));
  svg += fmt::format(R"(<text x="{}" y="16" font-size="13" font-weight="600" fill="currentColor">{}</text>)", kLeft,
                     escaped(title));
  svg += drawn(legend);
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
  if (!svg.starts_with(kOpening)) throw Error(ErrorCode::kInternal, "this is no <svg> element");
  const std::size_t inside = svg.find('>') + 1;
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" " + svg.substr(kOpening.size(), inside - kOpening.size()) +
         "<style>svg{color:#1c2430}@media(prefers-color-scheme:dark){svg{color:#e6e9ee}}</style>" + svg.substr(inside) +
         "\n";
}

}  // namespace byteformer::chart
