// Encodes a black picture or silence.
#include "prepare/typical_file.hpp"

#include <algorithm>

namespace byteformer::prepare {
namespace {

constexpr std::uint64_t kMostValues = std::uint64_t{1} << 24;  // colours or samples

std::optional<std::uint64_t> picture_bytes(const ImagePreparation& image) {
  const auto side = static_cast<std::uint64_t>(image.crop.value_or(image.resize.value_or(0)));
  const std::uint64_t num_values = 3 * side * side;
  if (side == 0 || num_values > kMostValues || image.encoding.format == FileFormat::kJpeg) return std::nullopt;
  const media::Image black{static_cast<int>(side), static_cast<int>(side), std::vector<std::uint8_t>(num_values)};
  return encode_image(black, image.encoding).size();
}

std::optional<std::uint64_t> sound_bytes(const SoundPreparation& sound) {
  const int rate = sound.sample_rate.value_or(0);
  const std::uint64_t length = media::num_samples(sound.duration_s.value_or(1), rate);
  if (length == 0 || length > kMostValues) return std::nullopt;
  return encode_sound({rate, std::vector<float>(length)}, sound.encoding).size();
}

}  // namespace

std::optional<std::uint64_t> typical_prepared_bytes(const Preprocess& preprocess) {
  const auto& [image, sound, transforms] = preprocess;
  if (preprocess.is_bytes() && transforms.pieces) return transforms.pieces->total();
  const auto num_bytes = image ? picture_bytes(*image) : sound ? sound_bytes(*sound) : std::nullopt;
  if (!num_bytes || !transforms.mask) return num_bytes;
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(transforms.mask->keep_frac * static_cast<double>(*num_bytes)));
}

}  // namespace byteformer::prepare
