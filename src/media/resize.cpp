// Bicubic resizing with antialiasing, in the arithmetic of Pillow: coefficients in double, then 22-bit fixed point.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/text.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

constexpr int kPrecisionBits = 22;
constexpr double kCubicSupport = 2.0;

double cubic(double x) noexcept {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

/// For each output position the first input position and the weights, `stride` apart.
struct Coefficients {
  struct Window {
    int first;
    int count;
  };
  std::size_t stride;
  std::vector<Window> windows;
  std::vector<int> weights;
};

int fixed_point(double weight) noexcept {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<int>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

Coefficients coefficients(int in_size, int out_size) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kCubicSupport * filter_scale;
  const double inverse = 1.0 / filter_scale;  // Pillow multiplies by it
  Coefficients out{static_cast<std::size_t>(std::ceil(support)) * 2 + 1, {}, {}};
  out.windows.reserve(static_cast<std::size_t>(out_size));
  out.weights.resize(out.stride * static_cast<std::size_t>(out_size));
  std::vector<double> weights(out.stride);
  for (int i = 0; i < out_size; ++i) {
    const double center = (i + 0.5) * scale;
    // NOLINTBEGIN(bugprone-incorrect-roundings): as Pillow does
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in_size) - first;
    // NOLINTEND(bugprone-incorrect-roundings)
    double sum = 0;
    for (int x = 0; x < count; ++x)
      sum += weights[static_cast<std::size_t>(x)] = cubic((x + first - center + 0.5) * inverse);
    int* to = out.weights.data() + out.stride * static_cast<std::size_t>(i);
    for (int x = 0; x < count; ++x)
      to[x] =
          fixed_point(sum != 0.0 ? weights[static_cast<std::size_t>(x)] / sum : weights[static_cast<std::size_t>(x)]);
    out.windows.push_back({first, count});
  }
  return out;
}

std::uint8_t clip8(int sum) noexcept { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

Image resized_horizontally(const Image& in, int width) {
  const Coefficients table = coefficients(in.width, width);
  Image out{width, in.height, {}};
  const std::size_t num_bytes = static_cast<std::size_t>(width) * static_cast<std::size_t>(in.height) * 3;
  out.memory = memory_for(num_bytes);
  out.rgb.resize(num_bytes);
  std::uint8_t* to = out.rgb.data();
  for (int y = 0; y < in.height; ++y) {
    const std::uint8_t* row = in.rgb.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(in.width) * 3;
    for (std::size_t i = 0; i < static_cast<std::size_t>(width); ++i, to += 3) {
      const auto [first, count] = table.windows[i];
      const int* weights = table.weights.data() + table.stride * i;
      const std::uint8_t* from = row + static_cast<std::size_t>(first) * 3;
      int red = 1 << (kPrecisionBits - 1), green = red, blue = red;
      for (int x = 0; x < count; ++x, from += 3) {
        red += from[0] * weights[x];
        green += from[1] * weights[x];
        blue += from[2] * weights[x];
      }
      to[0] = clip8(red);
      to[1] = clip8(green);
      to[2] = clip8(blue);
    }
  }
  return out;
}

Image resized_vertically(const Image& in, int height) {
  const Coefficients table = coefficients(in.height, height);
  const auto row_bytes = static_cast<std::size_t>(in.width) * 3;
  Image out{in.width, height, {}};
  out.memory = memory_for(row_bytes * static_cast<std::size_t>(height));
  out.rgb.resize(row_bytes * static_cast<std::size_t>(height));
  std::vector<int> sums(row_bytes);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    const auto [first, count] = table.windows[y];
    std::ranges::fill(sums, 1 << (kPrecisionBits - 1));
    for (int k = 0; k < count; ++k) {
      const std::uint8_t* row = in.rgb.data() + static_cast<std::size_t>(first + k) * row_bytes;
      const int weight = table.weights[table.stride * y + static_cast<std::size_t>(k)];
      for (std::size_t x = 0; x < row_bytes; ++x) sums[x] += row[x] * weight;
    }
    std::ranges::transform(sums, out.rgb.begin() + static_cast<std::ptrdiff_t>(y * row_bytes), clip8);
  }
  return out;
}

void check_sizes(const Image& image, std::int64_t width, std::int64_t height) {
  constexpr auto kLimit = static_cast<std::int64_t>(kMaxPixels);
  if (image.width > 0 && image.height > 0 && width > 0 && height > 0 && width <= kLimit && height <= kLimit / width &&
      image.height <= kLimit / width)
    return;
  base::fail(ErrorCode::kInvalidArgument, "cannot resize a picture of ", image.width, " x ", image.height, " to ",
             width, " x ", height, ": both must have pixels, at most ", kMaxPixels);
}

}  // namespace

Image resized(const Image& image, int width, int height) {
  check_sizes(image, width, height);
  if (width == image.width) return height == image.height ? image : resized_vertically(image, height);
  Image wide = resized_horizontally(image, width);
  if (height == image.height) return wide;
  return resized_vertically(wide, height);
}

Image with_shorter_side(const Image& image, int size) {
  const bool is_wide = image.width > image.height;
  const std::int64_t shorter = std::max(std::min(image.width, image.height), 1);
  const std::int64_t longer = std::int64_t{size} * std::max(image.width, image.height) / shorter;
  check_sizes(image, is_wide ? longer : size, is_wide ? size : longer);
  return resized(image, static_cast<int>(is_wide ? longer : size), static_cast<int>(is_wide ? size : longer));
}

}  // namespace byteformer::media
