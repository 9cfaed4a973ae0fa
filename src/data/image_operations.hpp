// The operations of RandAugment on pictures, as Pillow computes them.
#pragma once

#include "base/random.hpp"
#include "media/image.hpp"

namespace byteformer::data {

/// `operations` operations, each drawn from the fourteen of RandAugment, of strength `magnitude` (0 to 30); signed ones
/// go either way with equal chance. Nearest neighbour, black where nothing was.
/// \see Cubuk et al. 2019; torchvision.transforms.RandAugment, whose ranges these are
void rand_augment(media::Image& image, int operations, int magnitude, base::Random& random);

/// Maps each pixel's centre (x, y) to where it comes from: (a x + b y + c, d x + e y + f).
struct AffineMap {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};
void transform(media::Image& image, const AffineMap& map);

void rotate(media::Image& image, double degrees);  ///< counter-clockwise, about the middle

/// Each of these is the picture itself at factor 1.
void adjust_brightness(media::Image& image, double factor);  ///< 0: black
void adjust_color(media::Image& image, double factor);       ///< 0: grey
void adjust_contrast(media::Image& image, double factor);    ///< 0: the mean grey
void adjust_sharpness(media::Image& image, double factor);   ///< 0: smoothed

void posterize(media::Image& image, int bits);         ///< keeps the upper bits
void solarize(media::Image& image, double threshold);  ///< inverts values from the threshold on
void auto_contrast(media::Image& image);               ///< stretches each channel to the full range
void equalize(media::Image& image);                    ///< levels each channel's histogram

}  // namespace byteformer::data
