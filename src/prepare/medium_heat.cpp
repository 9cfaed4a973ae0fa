// Sums heat over the bytes of pixels, blocks, samples and frames.
#include "prepare/medium_heat.hpp"

#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "byteformer/error.hpp"

namespace byteformer::prepare {
namespace {

constexpr const char* kSource = "the file";  // in messages that nobody sees
constexpr const char* kExactPixels = "A pixel's heat is that of its three bytes, added up.";
constexpr const char* kPng =
    "A pixel's heat is that of its three bytes, added up. Most rows of a PNG hold differences from the pixels to the "
    "left "
    "or above, so these bytes also decide pixels beside and below.";
constexpr const char* kJpeg =
    "Approximate: rows of blocks are placed to within a few bytes, but inside a row the bytes are shared out evenly, "
    "although blocks with more detail take more. Headers and tables have no place in the picture; see the dump.";
constexpr const char* kNoPlaces =
    "Which bytes of this file make which part of it is not known: the heat is shown by byte only.";
constexpr const char* kExactSamples = "A sample's heat is that of its bytes, added up.";
constexpr const char* kMp3 =
    "Approximate: a frame's heat stands where its bytes are, but a frame may borrow bytes from those before it, and is "
    "heard about one frame later.";

template <typename Places>
std::vector<float> heat_of_blocks(const Places& places, std::size_t num_blocks, std::span<const float> heat) {
  std::vector<float> sums(num_blocks, std::numeric_limits<float>::quiet_NaN());
  for (const auto& [bytes, block] : places.parts)
    for (std::uint64_t i = bytes.begin; i < bytes.end; ++i)
      if (!std::isnan(heat[i])) sums[block] = (std::isnan(sums[block]) ? 0 : sums[block]) + heat[i];
  return sums;
}

/// The picture of raw pixels whose size the model knows; nothing if the bytes are none.
std::optional<PictureHeat> raw_picture(const media::FileBytes& file, const Preprocess& preprocess) {
  const auto& preparation = preprocess.image;
  if (!preparation || !preparation->crop) return std::nullopt;
  const int side = *preparation->crop;
  const auto num_pixels = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  const FileFormat format = preparation->encoding.format;
  if ((format != FileFormat::kFhwc && format != FileFormat::kFchw) || file.size() != 3 * num_pixels)
    return std::nullopt;
  media::Image image{side, side, file};
  if (format == FileFormat::kFhwc) return PictureHeat{image, media::fhwc_places(side, side), {}, kExactPixels};
  for (std::size_t i = 0; i < num_pixels; ++i)
    for (std::size_t channel = 0; channel < 3; ++channel) image.rgb[3 * i + channel] = file[channel * num_pixels + i];
  return PictureHeat{image, media::fchw_places(side, side), {}, kExactPixels};
}

std::pair<std::optional<media::PicturePlaces>, const char*> places_of(std::string_view kind,
                                                                      std::span<const std::uint8_t> file) {
  if (kind == "tiff") return {media::tiff_places(file), kExactPixels};
  if (kind == "png") return {media::png_places(file), kPng};
  if (kind == "jpeg") return {media::jpeg_places(file), kJpeg};
  return {std::nullopt, kNoPlaces};
}

std::optional<PictureHeat> picture_of(const media::FileBytes& file, const Preprocess& preprocess) {
  const auto kind = media::image_kind(file);
  if (!kind) return raw_picture(file, preprocess);
  PictureHeat picture;
  picture.image = media::decode_image(file, kSource);
  picture.remark = kNoPlaces;
  const auto [places, remark] = places_of(*kind, file);
  if (!places || places->width != picture.image.width || places->height != picture.image.height) return picture;
  picture.places = *places;
  picture.remark = remark;
  return picture;
}

}  // namespace

std::optional<PictureHeat> picture_heat(const media::FileBytes& file, const Preprocess& preprocess,
                                        std::span<const float> heat) try {
  std::optional<PictureHeat> picture = picture_of(file, preprocess);
  if (picture && !picture->places.parts.empty())
    picture->heat = heat_of_blocks(picture->places, picture->places.num_blocks(), heat);
  return picture;
} catch (const Error&) {
  return std::nullopt;  // the model reads damaged files as well, but nobody can look at them
}

std::optional<SoundHeat> sound_heat(const media::FileBytes& file, std::span<const float> heat) try {
  const auto kind = media::sound_kind(file);
  if (!kind) return std::nullopt;
  SoundHeat sound;
  sound.sound = media::decode_sound(file, kSource);
  sound.remark = kNoPlaces;
  const auto places = *kind == "mp3" ? media::mp3_places(file) : media::wav_places(file);
  if (!places) return sound;
  sound.places = *places;
  sound.heat = heat_of_blocks(*places, places->num_blocks, heat);
  sound.remark = *kind == "mp3" ? kMp3 : kExactSamples;
  return sound;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace byteformer::prepare
