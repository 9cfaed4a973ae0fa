// EXIF orientation: how a camera was held, and turning its picture upright.
#pragma once

#include <cstdint>
#include <span>

#include "media/image.hpp"

namespace byteformer::media {

/// The orientation (1 to 8) that an EXIF block tells, with or without its "Exif\0\0" prefix; 1 where it tells none.
int exif_orientation(std::span<const std::uint8_t> exif) noexcept;

/// `image` as it should be looked at. \param orientation 1 to 8
Image upright(Image image, int orientation);

}  // namespace byteformer::media
