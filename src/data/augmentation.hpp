// Random changes to the samples of a picture or a sound before it is encoded, for training. \see spec of data, section
// 2
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
  bool operator==(const ImageAugmentation&) const = default;
};

/// Random resized crop to `size` x `size` (or shift), flip, RandAugment, erasing, in this order. Without a random
/// resized crop the picture must have its final size already.
media::Image augmented(const media::Image& image, int size, const ImageAugmentation& options, base::Random& random);

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

}  // namespace byteformer::data
