// Whether a picture or sound already is what a model expects, judged by its header alone.
#include <algorithm>

#include "media/places.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::prepare {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool has_size(const std::optional<media::PictureSize>& size, const ImagePreparation& preparation) noexcept {
  if (!size || size->width == 0 || size->height == 0) return false;
  const auto is = [](std::uint32_t side, int wanted) { return side == static_cast<std::uint32_t>(wanted); };
  if (preparation.crop) return is(size->width, *preparation.crop) && is(size->height, *preparation.crop);
  return !preparation.resize || is(std::min(size->width, size->height), *preparation.resize);
}

/// Bare pixels have no header: their number must be right, and they must not begin as a picture does.
bool is_raw_in_form(Bytes file, const ImagePreparation& preparation) noexcept {
  if (file.empty() || media::image_kind(file)) return false;
  if (preparation.crop) return file.size() == std::size_t{3} * *preparation.crop * *preparation.crop;
  return file.size() % (std::size_t{3} * preparation.resize.value_or(1)) == 0;
}

bool is_in_form(Bytes file, const ImagePreparation& preparation) noexcept {
  switch (preparation.encoding.format) {
    case FileFormat::kTiff: return has_size(media::own_tiff_size(file), preparation);
    case FileFormat::kPng: return has_size(media::own_png_size(file), preparation);
    case FileFormat::kJpeg: return has_size(media::own_jpeg_size(file, preparation.encoding.quality), preparation);
    case FileFormat::kFhwc:
    case FileFormat::kFchw: return is_raw_in_form(file, preparation);
    default: return false;
  }
}

bool has_rate(int sample_rate, const SoundPreparation& preparation) noexcept {
  return !preparation.sample_rate || *preparation.sample_rate == sample_rate;
}

bool is_in_form(Bytes file, const SoundPreparation& preparation) noexcept {
  const auto& duration_s = preparation.duration_s;
  if (preparation.encoding.format == FileFormat::kWav) {
    const auto wav = media::own_wav_header(file, preparation.encoding.sample_format);
    return wav && has_rate(wav->sample_rate, preparation) &&
           (!duration_s || media::num_samples(*duration_s, wav->sample_rate) == wav->num_frames());
  }
  if (preparation.encoding.format != FileFormat::kMp3) return false;
  const auto mp3 = media::own_mp3(file);
  return mp3 && has_rate(mp3->sample_rate, preparation) &&
         (!duration_s || mp3->can_hold(media::num_samples(*duration_s, mp3->sample_rate)));
}

}  // namespace

bool is_in_form(Bytes file, const Preprocess& preprocess) noexcept {
  if (preprocess.is_bytes()) return true;
  return (preprocess.image && is_in_form(file, *preprocess.image)) ||
         (preprocess.sound && is_in_form(file, *preprocess.sound));
}

}  // namespace byteformer::prepare
