// Random changes of pictures: crops, shifts, flips, boxes erased or pasted in, and RandAugment with its operations, as
// Pillow computes them.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "base/text.hpp"
#include "data/augmentation.hpp"

namespace byteformer::data {
namespace {

using media::Image;
using Pixels = std::vector<std::uint8_t>;
using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::size_t, 256>;

/// The grey of a pixel in 16-bit fixed point, as Pillow's mode L.
std::uint8_t grey(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/// Moves every value from `from` towards (or beyond) the picture's, in Pillow's rounding: down.
void blend(Image& image, const Pixels& from, double factor) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double value = from[i] + factor * (image.rgb[i] - from[i]);
    image.rgb[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
}

void look_up(Image& image, int channel, const Table& table) {
  for (std::size_t i = static_cast<std::size_t>(channel); i < image.rgb.size(); i += 3)
    image.rgb[i] = table[image.rgb[i]];
}

void look_up(Image& image, const std::function<int(int)>& function) {
  Table table;
  for (int v = 0; v < 256; ++v) table[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(function(v));
  for (int channel = 0; channel < 3; ++channel) look_up(image, channel, table);
}

Histogram histogram(const Image& image, int channel) {
  Histogram counts{};
  for (std::size_t i = static_cast<std::size_t>(channel); i < image.rgb.size(); i += 3) ++counts[image.rgb[i]];
  return counts;
}

/// 3x3 mean that weights the middle five times; the border stays.
Pixels smoothed(const Image& image) {
  Pixels out = image.rgb;
  const std::ptrdiff_t row = 3 * static_cast<std::ptrdiff_t>(image.width);
  for (int y = 1; y + 1 < image.height; ++y) {
    for (std::ptrdiff_t x = 3; x + 3 < row; ++x) {
      const std::uint8_t* middle = image.rgb.data() + y * row + x;
      int sum = 4 * middle[0];
      for (const std::ptrdiff_t line : {-row, std::ptrdiff_t{0}, row})
        sum += middle[line - 3] + middle[line] + middle[line + 3];
      out[static_cast<std::size_t>(y * row + x)] = static_cast<std::uint8_t>((2 * sum + 13) / 26);
    }
  }
  return out;
}

}  // namespace

void transform(Image& image, const AffineMap& map) {
  const Pixels source = image.rgb;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const double from_x = std::floor(map.a * (x + 0.5) + map.b * (y + 0.5) + map.c);
      const double from_y = std::floor(map.d * (x + 0.5) + map.e * (y + 0.5) + map.f);
      const bool is_inside = from_x >= 0 && from_x < image.width && from_y >= 0 && from_y < image.height;
      const std::size_t to = 3 * (static_cast<std::size_t>(y) * image.width + x);
      const std::size_t from =
          is_inside ? 3 * (static_cast<std::size_t>(from_y) * image.width + static_cast<std::size_t>(from_x)) : 0;
      for (std::size_t c = 0; c < 3; ++c) image.rgb[to + c] = is_inside ? source[from + c] : std::uint8_t{0};
    }
  }
}

void rotate(Image& image, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const double x = image.width / 2.0;
  const double y = image.height / 2.0;
  transform(image, {cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y});
}

void adjust_brightness(Image& image, double factor) { blend(image, Pixels(image.rgb.size()), factor); }

void adjust_color(Image& image, double factor) {
  Pixels greys(image.rgb.size());
  for (std::size_t i = 0; i < greys.size(); i += 3) greys[i] = greys[i + 1] = greys[i + 2] = grey(&image.rgb[i]);
  blend(image, greys, factor);
}

void adjust_contrast(Image& image, double factor) {
  if (image.rgb.empty()) return;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += grey(&image.rgb[i]);
  const std::uint64_t num_pixels = image.rgb.size() / 3;
  const auto mean = static_cast<std::uint8_t>((2 * sum + num_pixels) / (2 * num_pixels));
  blend(image, Pixels(image.rgb.size(), mean), factor);
}

void adjust_sharpness(Image& image, double factor) { blend(image, smoothed(image), factor); }

void posterize(Image& image, int bits) {
  const int mask = 0xFF & ~((1 << (8 - bits)) - 1);
  look_up(image, [&](int v) { return v & mask; });
}

void solarize(Image& image, double threshold) {
  look_up(image, [&](int v) { return v < threshold ? v : 255 - v; });
}

void auto_contrast(Image& image) {
  for (int channel = 0; channel < 3; ++channel) {
    const Histogram counts = histogram(image, channel);
    int low = 0;
    int high = 255;
    while (low < 255 && counts[static_cast<std::size_t>(low)] == 0) ++low;
    while (high > 0 && counts[static_cast<std::size_t>(high)] == 0) --high;
    if (high <= low) continue;
    const double scale = 255.0 / (high - low);
    Table table;
    for (int v = 0; v < 256; ++v)
      table[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(std::clamp(v * scale - low * scale, 0.0, 255.0));
    look_up(image, channel, table);
  }
}

void equalize(Image& image) {
  for (int channel = 0; channel < 3; ++channel) {
    const Histogram counts = histogram(image, channel);
    std::size_t sum = 0;
    std::size_t last = 0;
    for (const std::size_t count : counts) {
      sum += count;
      if (count != 0) last = count;
    }
    const std::size_t step = (sum - last) / 255;
    if (step == 0) continue;
    Table table;
    std::size_t below = step / 2;
    for (std::size_t v = 0; v < 256; ++v) {
      table[v] = static_cast<std::uint8_t>(std::min<std::size_t>(below / step, 255));
      below += counts[v];
    }
    look_up(image, channel, table);
  }
}

namespace {

constexpr int kNumOperations = 14;
constexpr double kMaxMagnitude = 30;

/// Applies the operation of number `operation` at `level` (0 to 1), in the direction of `sign` (1 or -1).
void apply(media::Image& image, int operation, double level, int sign) {
  const double signed_level = sign * level;
  constexpr double kMaxShear = 0.3;
  constexpr double kMaxTranslation = 150.0 / 331;  // of the side
  constexpr double kMaxDegrees = 30;
  constexpr double kMaxAdjustment = 0.9;
  constexpr double kMaxLostBits = 4;
  switch (operation) {
    case 0: return;  // Identity
    case 1: return transform(image, {.b = kMaxShear * signed_level});
    case 2: return transform(image, {.d = kMaxShear * signed_level});
    case 3: return transform(image, {.c = -std::trunc(kMaxTranslation * image.width * signed_level)});
    case 4: return transform(image, {.f = -std::trunc(kMaxTranslation * image.height * signed_level)});
    case 5: return rotate(image, kMaxDegrees * signed_level);
    case 6: return adjust_brightness(image, 1 + kMaxAdjustment * signed_level);
    case 7: return adjust_color(image, 1 + kMaxAdjustment * signed_level);
    case 8: return adjust_contrast(image, 1 + kMaxAdjustment * signed_level);
    case 9: return adjust_sharpness(image, 1 + kMaxAdjustment * signed_level);
    case 10: return posterize(image, 8 - static_cast<int>(std::nearbyint(kMaxLostBits * level)));
    case 11: return solarize(image, 255 * (1 - level));
    case 12: return auto_contrast(image);
    default: return equalize(image);
  }
}

}  // namespace

void rand_augment(media::Image& image, int operations, int magnitude, base::Random& random) {
  for (int i = 0; i < operations; ++i) {
    const auto operation = static_cast<int>(random.below(kNumOperations));
    const int sign = random.chance(0.5) ? 1 : -1;
    apply(image, operation, magnitude / kMaxMagnitude, sign);
  }
}

namespace {

constexpr int kMaxTries = 10;

struct Box {
  int left = 0, top = 0, width = 0, height = 0;
};

/// A box of `share` of the picture's area, its width over its height log-uniform between the ratios; at no place yet.
Box drawn_box(const Image& image, double share, double ratio_low, double ratio_high, base::Random& random) {
  const double area = share * image.width * image.height;
  const double ratio = std::exp(random.uniform(std::log(ratio_low), std::log(ratio_high)));
  return {0, 0, static_cast<int>(std::lround(std::sqrt(area * ratio))),
          static_cast<int>(std::lround(std::sqrt(area / ratio)))};
}

void draw_place(Box& box, const Image& image, base::Random& random) {
  box.top = static_cast<int>(random.below(static_cast<std::uint64_t>(image.height - box.height) + 1));
  box.left = static_cast<int>(random.below(static_cast<std::uint64_t>(image.width - box.width) + 1));
}

/// The largest box in the middle whose ratio is allowed.
Box middle_box(const Image& image, double ratio_low, double ratio_high) {
  Box box{0, 0, image.width, image.height};
  const double ratio = static_cast<double>(image.width) / image.height;
  if (ratio < ratio_low) box.height = std::min(image.height, static_cast<int>(std::lround(image.width / ratio_low)));
  if (ratio > ratio_high) box.width = std::min(image.width, static_cast<int>(std::lround(image.height * ratio_high)));
  box.left = (image.width - box.width) / 2;
  box.top = (image.height - box.height) / 2;
  return box;
}

Box crop_box(const Image& image, double min_area, base::Random& random) {
  constexpr double kRatioLow = 3.0 / 4;
  constexpr double kRatioHigh = 4.0 / 3;
  for (int i = 0; i < kMaxTries; ++i) {
    Box box = drawn_box(image, random.uniform(min_area, 1), kRatioLow, kRatioHigh, random);
    if (box.width < 1 || box.width > image.width || box.height < 1 || box.height > image.height) continue;
    draw_place(box, image, random);
    return box;
  }
  return middle_box(image, kRatioLow, kRatioHigh);
}

Image shifted(const Image& image, int max_shift, base::Random& random) {
  const auto draw = [&] {
    return static_cast<int>(random.below(2 * static_cast<std::uint64_t>(max_shift) + 1)) - max_shift;
  };
  const int right = draw();
  const int down = draw();
  Image out = image;
  transform(out, {.c = static_cast<double>(-right), .f = static_cast<double>(-down)});
  return out;
}

void flip(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.rgb.data() + std::size_t{3} * y * image.width;
    for (int left = 0, right = image.width - 1; left < right; ++left, --right)
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
  }
}

void erase(Image& image, base::Random& random) {
  constexpr double kMinShare = 0.02;
  constexpr double kMaxShare = 0.33;
  constexpr double kRatioLow = 0.3;
  constexpr double kRatioHigh = 3.3;
  for (int i = 0; i < kMaxTries; ++i) {
    Box box = drawn_box(image, random.uniform(kMinShare, kMaxShare), kRatioLow, kRatioHigh, random);
    if (box.width >= image.width || box.height >= image.height) continue;
    draw_place(box, image, random);
    for (int y = box.top; y < box.top + box.height; ++y)
      std::fill_n(image.rgb.begin() + (std::ptrdiff_t{y} * image.width + box.left) * 3, box.width * 3, std::uint8_t{0});
    return;
  }
}

/// The picture in its final size.
Image sized(const Image& image, int size, const ImageAugmentation& options, base::Random& random) {
  if (options.min_crop_area > 0) {
    const Box box = crop_box(image, std::min(options.min_crop_area, 1.0), random);
    return media::resized(media::cropped(image, box.left, box.top, box.width, box.height, "picture"), size, size);
  }
  if (image.width != size || image.height != size)
    base::fail(ErrorCode::kInvalidArgument, "the picture has ", image.width, 'x', image.height, " pixels, expected ",
               size, 'x', size, " where no random crop is taken");
  return options.max_shift > 0 ? shifted(image, options.max_shift, random) : image;
}

}  // namespace

Image augmented(const Image& image, int size, const ImageAugmentation& options, base::Random& random) {
  Image out = sized(image, size, options, random);
  if (options.flip && random.chance(0.5)) flip(out);
  rand_augment(out, options.rand_augment_operations, options.rand_augment_magnitude, random);
  if (options.erasing_probability > 0 && random.chance(options.erasing_probability)) erase(out, random);
  return out;
}

double paste_box(Image& image, const Image& other, base::Random& random) {
  const double side = std::sqrt(random.uniform());  // of the box, relative to the picture's
  const auto span = [&](int size) {
    const double middle = random.uniform() * size;
    const double half = side * size / 2;
    return std::pair(static_cast<int>(std::lround(std::max(0.0, middle - half))),
                     static_cast<int>(std::lround(std::min<double>(size, middle + half))));
  };
  const auto [left, right] = span(image.width);
  const auto [top, bottom] = span(image.height);
  for (int y = top; y < bottom; ++y) {
    const std::ptrdiff_t row = std::ptrdiff_t{y} * image.width;
    std::copy_n(other.rgb.begin() + 3 * (row + left), 3 * (right - left), image.rgb.begin() + 3 * (row + left));
  }
  const double pasted = static_cast<double>(right - left) * (bottom - top);
  return 1 - pasted / (static_cast<double>(image.width) * image.height);
}

}  // namespace byteformer::data
