// Heat on a scale of colors, over bytes and over the picture or sound that they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "explain/explanation.hpp"
#include "media/image.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"

namespace byteformer::cli {

/// Heat from -1 (the strongest against the class) over 0 to 1 (the strongest for it), on one scale for both.
class HeatScale {
 public:
  static constexpr int kLevels = 8;

  explicit HeatScale(std::span<const float> heat) noexcept;  ///< NaN: not read

  double greatest() const noexcept { return greatest_; }  ///< absolute value
  double share(float heat) const noexcept;                ///< in [-1, 1]; 0 for NaN
  int level(float heat) const noexcept;                   ///< from -kLevels to kLevels

 private:
  double greatest_ = 0;
};

using Rgb = std::array<std::uint8_t, 3>;
inline constexpr Rgb kForColour{214, 48, 40};       ///< red speaks for the class
inline constexpr Rgb kAgainstColour{30, 112, 222};  ///< blue speaks against it

/// `background` tinted by heat. \param share from -1 to 1
Rgb tinted(const Rgb& background, double share) noexcept;

/// The strongest heat of either kind in a part of a file, as shares of the scale.
struct Peaks {
  double speaks_for = 0;      ///< from 0 to 1
  double speaks_against = 0;  ///< from 0 to 1
};

/// Of `num_parts` parts of `heat`, as even as they can be.
std::vector<Peaks> peaks_of(std::span<const float> heat, std::size_t num_parts, const HeatScale& scale);

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
