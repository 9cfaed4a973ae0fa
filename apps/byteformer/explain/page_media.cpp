// Pictures and waveforms with heat, for the page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "chart/base64.hpp"
#include "chart/html.hpp"
#include "explain/page_parts.hpp"
#include "media/image.hpp"

namespace byteformer::cli {
namespace {

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

/// The heat of every pixel of `image`, which may be smaller than the picture of `places`.
class PixelShares {
 public:
  PixelShares(const PictureHeat& picture, const media::Image& image)
      : picture_(picture), image_(image), scale_(picture.heat) {}

  double at(int x, int y) const {
    const media::PicturePlaces& places = picture_.places;
    const auto column = std::int64_t{x} * places.width / image_.width / places.block_width;
    const auto row = std::int64_t{y} * places.height / image_.height / places.block_height;
    return scale_.share(picture_.heat[static_cast<std::size_t>(row * places.columns() + column)]);
  }

 private:
  const PictureHeat& picture_;
  const media::Image& image_;
  HeatScale scale_;
};

/// `image` with every pixel replaced by colour(pixel, share).
template <typename Colour>
media::Image painted(media::Image image, const PixelShares& shares, const Colour& colour) {
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      std::uint8_t* pixel = &image.rgb[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                                            static_cast<std::size_t>(x))];
      const Rgb painted = colour(Rgb{pixel[0], pixel[1], pixel[2]}, shares.at(x, y));
      std::copy(painted.begin(), painted.end(), pixel);
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

std::vector<Column> columns_of(const SoundHeat& sound, std::size_t num_columns) {
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
std::string time_axis(const SoundHeat& sound) {
  const double seconds =
      static_cast<double>(sound.sound.samples.size()) / static_cast<double>(std::max(1, sound.sound.sample_rate));
  std::string html = "<div class=ticks>";
  for (double tick = 0; tick < 0.95 * seconds; tick += tick_of(seconds))
    html += fmt::format(R"(<span style="left:{:.2f}%">{:.3g} s</span>)", 100 * tick / seconds, tick);
  return html + "</div>";
}

}  // namespace

std::string picture_html(const PictureHeat& picture) {
  const media::Image image = shown(picture.image);
  std::string html = "<div class=figures>" + figure(image, "what the model reads");
  if (!picture.heat.empty()) {
    const PixelShares shares(picture, image);
    html += figure(painted(image, shares, [](const Rgb&, double share) { return tinted(kNeutral, share); }), "heat");
    html += figure(painted(image, shares,
                           [](const Rgb& pixel, double share) { return tinted(faded(pixel), kHeatOpacity * share); }),
                   "heat over the picture");
  }
  return html + "</div><p class=note>" + chart::escaped(picture.remark) + "</p>";
}

std::string sound_html(const SoundHeat& sound) {
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
  return svg + "</svg>" + time_axis(sound) + "<p class=note>" + chart::escaped(sound.remark) + "</p>";
}

}  // namespace byteformer::cli
