// Random changes of speed, loudness, noise and place of sounds.
#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "data/augmentation.hpp"

namespace byteformer::data {
namespace {

using Samples = std::vector<float>;

float amplitude(double decibels) { return static_cast<float>(std::pow(10.0, decibels / 20)); }

/// Played `speed` times as fast, by linear interpolation.
Samples at_speed(const Samples& samples, double speed) {
  if (samples.empty()) return samples;
  Samples out(
      std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(static_cast<double>(samples.size()) / speed))));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double place = static_cast<double>(i) * speed;
    const std::size_t left = std::min(static_cast<std::size_t>(place), samples.size() - 1);
    const std::size_t right = std::min(left + 1, samples.size() - 1);
    const auto weight = static_cast<float>(std::min(place - static_cast<double>(left), 1.0));
    out[i] = samples[left] + weight * (samples[right] - samples[left]);
  }
  return out;
}

/// Adds a random slice of a random recording, repeated if it is shorter.
void add_recording(Samples& samples, const std::vector<media::Sound>& background, double noise_db,
                   base::Random& random) {
  if (background.empty())
    base::fail(ErrorCode::kInvalidArgument, "background noise needs recordings, and the data set has none");
  const Samples& noise = background[random.below(background.size())].samples;
  if (noise.empty()) return;
  const std::size_t room = noise.size() > samples.size() ? noise.size() - samples.size() : 0;
  const std::size_t start = random.below(room + 1);
  const float level = amplitude(noise_db);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += level * noise[(start + i) % noise.size()];
}

void add_white_noise(Samples& samples, double max_deviation, base::Random& random) {
  const double deviation = random.uniform(0, max_deviation);
  for (float& sample : samples) sample += static_cast<float>(deviation * random.normal());
}

/// A whole number of samples in [-fraction, fraction) of `num_samples`.
std::ptrdiff_t drawn_offset(std::size_t num_samples, double fraction, base::Random& random) {
  const auto most = static_cast<std::size_t>(std::min(fraction, 1.0) * static_cast<double>(num_samples));
  if (most == 0) return 0;
  return static_cast<std::ptrdiff_t>(random.below(2 * most)) - static_cast<std::ptrdiff_t>(most);
}

/// Moves everything `offset` samples later; what falls off the end comes in at the start.
void roll(Samples& samples, std::ptrdiff_t offset) {
  if (offset > 0) std::rotate(samples.begin(), samples.end() - offset, samples.end());
  if (offset < 0) std::rotate(samples.begin(), samples.begin() - offset, samples.end());
}

/// Like roll(), but zeros come in.
void shift(Samples& samples, std::ptrdiff_t offset) {
  roll(samples, offset);
  if (offset > 0) std::fill(samples.begin(), samples.begin() + offset, 0.0F);
  if (offset < 0) std::fill(samples.end() + offset, samples.end(), 0.0F);
}

/// A few samples less, or some silence more, at each end.
void move_ends(Samples& samples, double fraction, base::Random& random) {
  const auto length = static_cast<double>(samples.size());
  const auto front = static_cast<std::ptrdiff_t>(length * random.uniform(-fraction / 2, fraction));
  const auto back = static_cast<std::ptrdiff_t>(length * random.uniform(-fraction / 2, fraction));
  const auto cut = [&](std::ptrdiff_t change) { return std::max<std::ptrdiff_t>(-change, 0); };
  if (cut(front) + cut(back) >= std::ssize(samples)) return;
  samples.erase(samples.end() - cut(back), samples.end());
  samples.erase(samples.begin(), samples.begin() + cut(front));
  samples.insert(samples.begin(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(front, 0)), 0.0F);
  samples.insert(samples.end(), static_cast<std::size_t>(std::max<std::ptrdiff_t>(back, 0)), 0.0F);
}

/// Time masking of SpecAugment (Park et al., 2019), on samples.
void mask(Samples& samples, double fraction, base::Random& random) {
  if (!random.chance(0.5)) return;
  const auto most = std::min(fraction, 1.0) * static_cast<double>(samples.size());
  const auto length = static_cast<std::size_t>(random.uniform(0, most));
  const std::size_t begin = random.below(samples.size() - length + 1);
  std::fill_n(samples.begin() + static_cast<std::ptrdiff_t>(begin), length, 0.0F);
}

}  // namespace

media::Sound augmented(media::Sound sound, std::optional<std::size_t> num_samples, const SoundAugmentation& options,
                       const std::vector<media::Sound>& background, base::Random& random) {
  if (options.speed_fraction > 0)
    sound.samples = at_speed(sound.samples, random.uniform(1 - options.speed_fraction, 1 + options.speed_fraction));
  if (num_samples) media::fit(sound, *num_samples);
  if (options.gain_db > 0) {
    const float gain = amplitude(random.uniform(-options.gain_db, options.gain_db));
    for (float& sample : sound.samples) sample *= gain;
  }
  if (options.noise_db != 0) add_recording(sound.samples, background, options.noise_db, random);
  if (options.white_noise > 0) add_white_noise(sound.samples, options.white_noise, random);
  if (options.roll_fraction > 0) roll(sound.samples, drawn_offset(sound.samples.size(), options.roll_fraction, random));
  if (options.shift_fraction > 0 && num_samples)
    shift(sound.samples, drawn_offset(sound.samples.size(), options.shift_fraction, random));
  if (options.shift_fraction > 0 && !num_samples) move_ends(sound.samples, options.shift_fraction, random);
  if (options.mask_fraction > 0) mask(sound.samples, options.mask_fraction, random);
  return sound;
}

}  // namespace byteformer::data
