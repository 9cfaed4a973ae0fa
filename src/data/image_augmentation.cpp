// Random crops, shifts, flips and erased boxes of pictures.
#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "data/augmentation.hpp"
#include "data/image_operations.hpp"

namespace byteformer::data {
namespace {

using media::Image;

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

}  // namespace byteformer::data
