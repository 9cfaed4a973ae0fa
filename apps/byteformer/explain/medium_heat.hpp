// A file that is a picture or a sound, with the heat of its pixels or samples.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "encode/image.hpp"
#include "encode/places.hpp"
#include "encode/sound.hpp"
#include "explain/explained_file.hpp"

namespace byteformer::cli {

struct PictureHeat {
  encode::Image image;
  encode::PicturePlaces places;  ///< without parts where nobody knows which bytes are which pixels
  std::vector<float> heat;       ///< [blocks]: of all bytes of a block, added up; NaN where none is read; or empty
  std::string remark;            ///< what the heat of a block means, or why there is none
};

/// \param heat of the bytes of `file.encoded`
/// \returns nothing if the file is no picture, or a damaged one.
std::optional<PictureHeat> picture_heat(const ExplainedFile& file, std::span<const float> heat);

struct SoundHeat {
  encode::Sound sound;
  encode::SoundPlaces places;
  std::vector<float> heat;  ///< [blocks], as above
  std::string remark;
};

std::optional<SoundHeat> sound_heat(const ExplainedFile& file, std::span<const float> heat);

}  // namespace byteformer::cli
