// Random changes to the samples of a picture or a sound before it is encoded, for training; and the operations of
// RandAugment on pictures, as Pillow computes them.
#pragma once

#include <optional>
#include <vector>

#include "base/random.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"

namespace byteformer::data {

/// All off by default.
struct ImageAugmentation {
  double min_crop_area = 0;         ///< random resized crop of this share of the area up to 1 (published: 0.08); 0: off
  int max_shift = 0;                ///< or: zero-padded shift by up to so many pixels each way, for small pictures
  bool flip = false;                ///< horizontally, with probability 1/2
  int rand_augment_operations = 0;  ///< RandAugment: operations a picture (published: 2); 0: off
  int rand_augment_magnitude = 9;   ///< of 30
  double erasing_probability = 0;   ///< random erasing (published: 0.25)
  double cutmix_probability = 0;    ///< a box of a second picture, augmented alike, pasted in (the loader does it)
  bool operator==(const ImageAugmentation&) const = default;
};

/// Random resized crop to `size` x `size` (or shift), flip, RandAugment, erasing, in this order. Without a random
/// resized crop the picture must have its final size already.
media::Image augmented(const media::Image& image, int size, const ImageAugmentation& options, base::Random& random);

/// CutMix: replaces a box of `image` by the same place of `other`, which has its size. The box has the picture's shape,
/// an area of a uniformly drawn share of it, and its middle anywhere; what would lie outside is cut off.
/// \returns the share of the area that is still `image`.
/// \see Yun et al. 2019, "CutMix", with alpha = 1
double paste_box(media::Image& image, const media::Image& other, base::Random& random);

/// All off by default.
struct SoundAugmentation {
  double noise_db = 0;        ///< background noise at this level (published: -50); 0: off. Needs recordings.
  double roll_fraction = 0;   ///< roll by a whole number of samples in [-f, f) of the length (published: 0.1)
  double shift_fraction = 0;  ///< like roll, but zeros come in; of a free length: see augmented()
  double speed_fraction = 0;  ///< played faster or slower by up to this fraction, by linear interpolation
  double gain_db = 0;         ///< louder or softer by up to so many decibels
  double white_noise = 0;     ///< deviation of added white noise, relative to full scale, drawn up to this
  double mask_fraction = 0;   ///< with probability 1/2 a span of up to this share of the length becomes silent
  bool mixup = false;         ///< a second sample, augmented alike, mixed in with a uniform weight (the loader does it)
  bool operator==(const SoundAugmentation&) const = default;
};

/// Speed, gain, noise, roll or shift, masking. The sound already has its final rate. The result has `num_samples`;
/// without, its length is free: speed changes it, and a shift cuts up to half of `shift_fraction` of the length from
/// each end, or adds up to `shift_fraction` of silence to it.
media::Sound augmented(media::Sound sound, std::optional<std::size_t> num_samples, const SoundAugmentation& options,
                       const std::vector<media::Sound>& background, base::Random& random);

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
