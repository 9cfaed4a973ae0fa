// The HTML page of an explanation: hex dump, waveform or picture under their heat.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/file_io.hpp"
#include "chart/page.hpp"
#include "explain/explanation.hpp"
#include "media/image.hpp"
#include "output/text.hpp"
#include "prepare/medium_heat.hpp"

namespace byteformer::cli {

namespace {

using chart::escaped;

constexpr std::size_t kMostDumpedBytes = 8192;  // of a file that is dumped whole
constexpr std::size_t kMostRows = 256;          // of others

constexpr std::string_view kExplanationStyle = R"(
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

/// CSS of all parts, for pages in the style of chart::html_page().
std::string page_style() {
  std::string style(kExplanationStyle);
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

/// Where in the file bytes speak for (up) or against (down), as SVG.
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

/// The colours of the scale with their meaning. \param unit of the greatest heat, "log-odds"
std::string legend_html(const HeatScale& scale, const std::string& label, std::string_view unit) {
  std::string html = "<div class=legend><span>against</span><span class=scale>";
  for (int level = -HeatScale::kLevels; level <= HeatScale::kLevels; ++level)
    html += level == 0 ? "<i></i>" : fmt::format("<i class={}></i>", class_of(level));
  return html +
         fmt::format("</span><span>for <b>{}</b></span><span class=note>the strongest byte: {:.3g} of {}</span></div>",
                     escaped(label), scale.greatest(), unit);
}

/// A hex dump with heat: the whole file if it is short, else its hottest rows.
std::string dump_html(std::span<const std::uint8_t> file, std::span<const float> heat, const HeatScale& scale) {
  const bool is_whole = file.size() <= kMostDumpedBytes;
  const std::size_t num_rows = (file.size() + kDumpRowBytes - 1) / kDumpRowBytes;
  std::string html =
      is_whole ? "" : fmt::format("<p class=note>The {} hottest of {} rows.</p>", kMostRows, grouped(num_rows));
  const auto byte = [&](std::size_t i) {
    const int level = scale.level(heat[i]);
    const std::string digits = std::isnan(heat[i]) ? ".." : fmt::format("{:02x}", file[i]);
    if (level == 0) return digits + " ";
    return fmt::format(R"(<i class={} title="byte {}: {:+.3g}">{}</i> )", class_of(level), i, heat[i], digits);
  };
  const DumpStyle style{"<b>...</b>\n", [](const std::string& offset) { return "<b>" + offset + "</b>"; }, byte,
                        escaped};
  return html + "<pre class=dump>" + hex_dump(file, hottest_rows(heat, is_whole ? num_rows : kMostRows), style) +
         "</pre>";
}

constexpr int kMostPixels = 512;  // of the longer side, as shown
constexpr double kHeatOpacity = 0.85;
constexpr Rgb kNeutral{128, 128, 128};

std::string figure(const media::Image& image, const char* caption) {
  return fmt::format(R"(<figure><img alt="{0}" src="data:image/png;base64,{1}"><figcaption>{0}</figcaption></figure>)",
                     caption, chart::base64(media::encode_png(image)));
}

media::Image shown(const media::Image& image) {
  const int longer = std::max(image.width, image.height);
  if (longer <= kMostPixels) return image;
  const auto scaled = [&](int side) {
    return std::max(1, static_cast<int>(std::int64_t{side} * kMostPixels / longer));
  };
  return media::resized(image, scaled(image.width), scaled(image.height));
}

/// `image`, which may be smaller than the picture of the heat, with every pixel replaced by colour(pixel, share).
template <typename Colour>
media::Image painted(media::Image image, const prepare::PictureHeat& picture, const Colour& colour) {
  const media::PicturePlaces& places = picture.places;
  const HeatScale scale(picture.heat);
  std::size_t i = 0;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x, i += 3) {
      const auto column = std::int64_t{x} * places.width / image.width / places.block_width;
      const auto row = std::int64_t{y} * places.height / image.height / places.block_height;
      const double share = scale.share(picture.heat[static_cast<std::size_t>(row * places.columns() + column)]);
      const Rgb painted = colour(Rgb{image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]}, share);
      std::ranges::copy(painted, &image.rgb[i]);
    }
  return image;
}

/// Grey, and neither black nor white, so that colours show on it.
Rgb faded(const Rgb& pixel) {
  const double grey = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
  const auto level = static_cast<std::uint8_t>(std::lround(40 + grey * 0.7));
  return {level, level, level};
}

struct Column {
  float low = 0, high = 0;
  double share = 0;
};

std::vector<Column> columns_of(const prepare::SoundHeat& sound, std::size_t num_columns) {
  const std::vector<float>& samples = sound.sound.samples;
  std::vector<Column> columns(std::min(num_columns, samples.size()));
  std::vector<double> means(columns.size());
  double greatest = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::size_t begin = samples.size() * c / columns.size();
    const std::size_t end = std::max(begin + 1, samples.size() * (c + 1) / columns.size());
    columns[c] = {samples[begin], samples[begin], 0};
    for (std::size_t i = begin; i < end; ++i) {
      columns[c].low = std::min(columns[c].low, samples[i]);
      columns[c].high = std::max(columns[c].high, samples[i]);
      const std::size_t block = i / sound.places.samples_per_block;
      if (block < sound.heat.size() && std::isfinite(sound.heat[block]))
        means[c] += static_cast<double>(sound.heat[block]) / static_cast<double>(end - begin);
    }
    greatest = std::max(greatest, std::abs(means[c]));
  }
  for (std::size_t c = 0; c < columns.size(); ++c) columns[c].share = greatest > 0 ? means[c] / greatest : 0;
  return columns;
}

/// A round number of seconds of which a few fit into `seconds`.
double tick_of(double seconds) {
  double tick = std::pow(10.0, std::floor(std::log10(seconds / 2)));
  while (seconds / tick > 8) tick *= 2;
  return tick;
}

/// Below the waveform, as text of the page: it keeps its size where the page is narrow.
std::string time_axis(const prepare::SoundHeat& sound) {
  const double seconds =
      static_cast<double>(sound.sound.samples.size()) / static_cast<double>(std::max(1, sound.sound.sample_rate));
  std::string html = "<div class=ticks>";
  for (double tick = 0; tick < 0.95 * seconds; tick += tick_of(seconds))
    html += fmt::format(R"(<span style="left:{:.2f}%">{:.3g} s</span>)", 100 * tick / seconds, tick);
  return html + "</div>";
}

/// The picture, its heat, and the heat laid over it.
std::string picture_html(const prepare::PictureHeat& picture) {
  const media::Image image = shown(picture.image);
  std::string html = "<div class=figures>" + figure(image, "what the model reads");
  if (!picture.heat.empty()) {
    html += figure(painted(image, picture, [](const Rgb&, double share) { return tinted(kNeutral, share); }), "heat");
    html += figure(painted(image, picture,
                           [](const Rgb& pixel, double share) { return tinted(faded(pixel), kHeatOpacity * share); }),
                   "heat over the picture");
  }
  return html + "</div><p class=note>" + escaped(picture.remark) + "</p>";
}

/// The waveform over its heat, as SVG, in seconds.
std::string sound_html(const prepare::SoundHeat& sound) {
  constexpr double kWidth = 900, kHeight = 180;
  constexpr std::size_t kColumns = 450;
  const std::vector<Column> columns = columns_of(sound, kColumns);
  const double width = kWidth / static_cast<double>(columns.size());
  float loudest = 1e-6f;
  for (const float sample : sound.sound.samples) loudest = std::max(loudest, std::abs(sample));
  const auto y = [&](float sample) { return kHeight / 2 * (1 - 0.92 * static_cast<double>(sample / loudest)); };
  std::string svg = fmt::format(
      R"(<svg class=wave viewBox="0 0 {} {}" role="img" aria-label="waveform with heat" preserveAspectRatio="none">)",
      kWidth, kHeight);
  std::string wave;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const double x = static_cast<double>(c) * width;
    const double opacity = kHeatOpacity * std::abs(columns[c].share);
    if (opacity > 0.02)
      svg += fmt::format(R"(<rect class={} x="{:.1f}" width="{:.2f}" height="{}" opacity="{:.2f}"/>)",
                         columns[c].share > 0 ? "for" : "against", x, width + 0.3, kHeight, opacity);
    wave += fmt::format("M{0:.1f},{1:.1f}V{2:.1f}", x + width / 2, y(columns[c].high) - 0.5, y(columns[c].low) + 0.5);
  }
  svg += fmt::format(R"(<path class=line d="{}" stroke-width="{:.1f}"/>)", wave, width * 0.8);
  return svg + "</svg>" + time_axis(sound) + "<p class=note>" + escaped(sound.remark) + "</p>";
}

constexpr int kMostClasses = 5;

std::string number(double value, const std::string& what) {
  return "<div><b>" + percent(value) + "</b>" + escaped(what) + "</div>";
}

std::string numbers(const ExplanationReport& report) {
  const DeletionCheck& check = report.check;
  const std::string runs = counted(check.run_bytes, "byte");
  return "<div class=numbers>" + number(check.score, base::printable(report.label()) + ", the whole file") +
         number(check.score_without_hottest, "without its hottest tenth") +
         number(check.score_without_runs, "without a random tenth, in runs of " + runs) +
         number(check.score_without_bytes, "without a random tenth, single bytes") + "</div>";
}

std::string scores(const ExplanationReport& report) {
  const std::vector<float> with = report.classifier.scores(report.check.whole);
  const std::vector<float> without = report.classifier.scores(report.check.without_hottest);
  std::string html = "<div class=scores><table><tr><th>class<th>the whole file<th>without the hottest tenth</tr>";
  for (const Prediction& prediction : report.classifier.top_k(report.check.whole, kMostClasses)) {
    const auto i = static_cast<std::size_t>(prediction.index);
    html += fmt::format("<tr><td>{}<td>{}<td>{}</tr>", escaped(base::printable(prediction.label)),
                        percent(static_cast<double>(with[i])), percent(static_cast<double>(without[i])));
  }
  return html + "</table></div>";
}

std::string origin(const ExplanationReport& report) {
  const ExplainedFile& file = report.file;
  std::string text = fmt::format("model {}; {} read", base::printable(report.model), counted(file.read.size(), "byte"));
  if (file.was_prepared || !file.preprocess.transforms.empty())
    text += ", prepared as " + prepare::describe(file.preprocess);
  return "<p class=note>" + escaped(text) + "</p>";
}

}  // namespace

std::string explanation_page(const ExplanationReport& report) {
  const std::vector<float> heat = report.heat();
  const HeatScale scale(heat);
  const std::string label = base::printable(report.label());
  const std::string title = fmt::format("Why {} is {}", base::printable(report.file.path), label);
  std::string html = "<h1>" + escaped(title) + "</h1>" + origin(report) + numbers(report);
  html += "<h2>Which bytes</h2>" + legend_html(scale, label, name_of(report.attribution.quantity)) +
          profile_svg(heat, scale) + "<p class=note>" + escaped(method_text(report)) + ".</p>";
  if (const auto picture = prepare::picture_heat(report.file.encoded, report.file.preprocess, heat))
    html += "<h2>Where in the picture</h2>" + picture_html(*picture);
  if (const auto sound = prepare::sound_heat(report.file.encoded, heat))
    html += "<h2>Where in the sound</h2>" + sound_html(*sound);
  html += "<h2>Scores</h2>" + scores(report);
  html += "<h2>Bytes</h2>" + dump_html(report.file.encoded, heat, scale);
  return chart::html_page(title, html, page_style());
}

}  // namespace byteformer::cli
