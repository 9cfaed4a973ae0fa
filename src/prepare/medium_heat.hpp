// Heat of bytes as heat of what they make: the pixels of a picture, the samples of a sound.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_io.hpp"
#include "media/image.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::prepare {

struct PictureHeat {
  media::Image image;
  media::PicturePlaces places;  ///< without parts where nobody knows which bytes are which pixels
  std::vector<float> heat;      ///< [blocks]: of all bytes of a block, added up; NaN where none is read; or empty
  std::string remark;           ///< what the heat of a block means, or why there is none
};

/// \param file  in the form of the model, before its transforms
/// \param preprocess  of the model, which knows the size of pictures without a header
/// \param heat  [bytes of `file`]; NaN: not read
/// \returns nothing if the file is no picture, or a damaged one. Thread-safe.
std::optional<PictureHeat> picture_heat(const media::FileBytes& file, const Preprocess& preprocess,
                                        std::span<const float> heat);

struct SoundHeat {
  media::Sound sound;
  media::SoundPlaces places;
  std::vector<float> heat;  ///< [blocks], as above
  std::string remark;
};

/// The same for sounds.
std::optional<SoundHeat> sound_heat(const media::FileBytes& file, std::span<const float> heat);

}  // namespace byteformer::prepare
