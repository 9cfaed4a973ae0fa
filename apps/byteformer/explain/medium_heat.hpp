// A file that is a picture or a sound, with the heat of its pixels or samples.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "explain/explained_file.hpp"
#include "media/image.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"

namespace byteformer::cli {

struct PictureHeat {
  media::Image image;
  media::PicturePlaces places;  ///< without parts where nobody knows which bytes are which pixels
  std::vector<float> heat;      ///< [blocks]: of all bytes of a block, added up; NaN where none is read; or empty
  std::string remark;           ///< what the heat of a block means, or why there is none
};

/// \param heat of the bytes of `file.encoded`
/// \returns nothing if the file is no picture, or a damaged one.
std::optional<PictureHeat> picture_heat(const ExplainedFile& file, std::span<const float> heat);

struct SoundHeat {
  media::Sound sound;
  media::SoundPlaces places;
  std::vector<float> heat;  ///< [blocks], as above
  std::string remark;
};

std::optional<SoundHeat> sound_heat(const ExplainedFile& file, std::span<const float> heat);

}  // namespace byteformer::cli
