// The page's style, profile, legend and hex dump.
#include "explain/page_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chart/html.hpp"
#include "explain/explanation_writers.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kMostWholeBytes = 8192;  // of a file that is dumped whole
constexpr std::size_t kMostRows = 256;         // of others

constexpr std::string_view kStyle = R"(
h1{overflow-wrap:anywhere}.numbers div{max-width:11rem}.figures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 14rem;max-width:19rem}
figure img{width:100%;image-rendering:pixelated;border-radius:4px;display:block}figcaption{opacity:.75;font-size:.85rem}
.for{fill:rgb(214,48,40)}.against{fill:rgb(30,112,222)}.line{fill:none;stroke:currentColor}
.wave,.profile{width:100%;height:7rem;display:block}.wave{height:11rem}
.ends,.ticks{font-size:.8rem;opacity:.75;display:flex;justify-content:space-between}
.ticks{position:relative;height:1.3rem}.ticks span{position:absolute;border-left:1px solid;padding-left:.25rem}
.axis{stroke:currentColor;opacity:.35}
.legend{display:flex;align-items:center;gap:.6rem;flex-wrap:wrap;font-size:.9rem}.scale{display:flex}
.scale i{width:1.1rem;height:1rem}.dump{font:13px/1.45 ui-monospace,monospace;white-space:pre}.dump i{font-style:normal}
.dump b{font-weight:400;opacity:.55}.scores{overflow-x:auto}
)";

std::string class_of(int level) { return level > 0 ? fmt::format("p{}", level) : fmt::format("m{}", -level); }

std::string dump_row(std::span<const std::uint8_t> file, std::span<const float> heat, const HeatScale& scale,
                     std::size_t row) {
  const std::size_t begin = row * kDumpRowBytes, end = std::min(begin + kDumpRowBytes, file.size());
  std::string html = "<b>" + offset_text(begin) + "</b>  ", letters;
  for (std::size_t i = begin; i < begin + kDumpRowBytes; ++i) {
    if (i >= end) {
      html += "   ";
      continue;
    }
    const int level = scale.level(heat[i]);
    const std::string digits = std::isnan(heat[i]) ? ".." : fmt::format("{:02x}", file[i]);
    if (level == 0) {
      html += digits + " ";
    } else {
      html += fmt::format(R"(<i class={} title="byte {}: {:+.3g}">{}</i> )", class_of(level), i, heat[i], digits);
    }
    letters += file[i] >= 0x20 && file[i] < 0x7F ? static_cast<char>(file[i]) : '.';
  }
  return html + " " + chart::escaped(letters) + "\n";
}

}  // namespace

std::string page_style() {
  std::string style(kStyle);
  for (int level = 1; level <= HeatScale::kLevels; ++level) {
    const double opacity = 0.08 + 0.72 * level / HeatScale::kLevels;
    for (const int sign : {1, -1}) {
      const Rgb& c = sign > 0 ? kForColour : kAgainstColour;
      style +=
          fmt::format(".{}{{background:rgba({},{},{},{:.2f})}}", class_of(sign * level), c[0], c[1], c[2], opacity);
    }
  }
  return style;
}

std::string profile_svg(std::span<const float> heat, const HeatScale& scale) {
  constexpr double kWidth = 900, kHalf = 56;
  const std::vector<Peaks> peaks = peaks_of(heat, 450, scale);
  const double width = kWidth / static_cast<double>(peaks.size());
  std::string svg = fmt::format(
      R"(<svg class=profile viewBox="0 0 {} {}" role="img" aria-label="heat along the file" preserveAspectRatio="none">)",
      kWidth, 2 * kHalf);
  const auto bar = [&](const char* kind, std::size_t i, double y, double height) {
    if (height < 0.3) return;
    svg += fmt::format(R"(<rect class={} x="{:.1f}" y="{:.1f}" width="{:.2f}" height="{:.1f}"/>)", kind,
                       static_cast<double>(i) * width, y, width * 0.9, height);
  };
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    bar("for", i, kHalf * (1 - peaks[i].speaks_for), kHalf * peaks[i].speaks_for);
    bar("against", i, kHalf, kHalf * peaks[i].speaks_against);
  }
  svg += fmt::format(R"(<line class=axis x1="0" x2="{0}" y1="{1}" y2="{1}"/>)", kWidth, kHalf);
  return svg + fmt::format("</svg><div class=ends><span>byte 0</span><span>{}</span></div>",
                           grouped(static_cast<std::int64_t>(heat.size()) - 1));
}

std::string legend_html(const HeatScale& scale, const std::string& label, std::string_view unit) {
  std::string html = "<div class=legend><span>against</span><span class=scale>";
  for (int level = -HeatScale::kLevels; level <= HeatScale::kLevels; ++level)
    html += level == 0 ? "<i></i>" : fmt::format("<i class={}></i>", class_of(level));
  return html +
         fmt::format("</span><span>for <b>{}</b></span><span class=note>the strongest byte: {:.3g} of {}</span></div>",
                     chart::escaped(label), scale.greatest(), unit);
}

std::string dump_html(std::span<const std::uint8_t> file, std::span<const float> heat, const HeatScale& scale) {
  const bool is_whole = file.size() <= kMostWholeBytes;
  const std::size_t num_rows = (file.size() + kDumpRowBytes - 1) / kDumpRowBytes;
  std::string html = is_whole ? ""
                              : fmt::format("<p class=note>The {} hottest of {} rows.</p>", kMostRows,
                                            grouped(static_cast<std::int64_t>(num_rows)));
  html += "<pre class=dump>";
  std::size_t next = 0;
  for (const std::size_t row : hottest_rows(heat, is_whole ? num_rows : kMostRows)) {
    if (row != next) html += "<b>...</b>\n";
    html += dump_row(file, heat, scale, row);
    next = row + 1;
  }
  return html + (next < num_rows ? "<b>...</b>\n</pre>" : "</pre>");
}

}  // namespace byteformer::cli
