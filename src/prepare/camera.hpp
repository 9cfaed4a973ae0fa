// What a person could see of a picture that was taken by the camera which never forms an image.
#pragma once

#include <cstdint>

#include "bytes/in_order.hpp"
#include "media/image.hpp"

namespace byteformer::prepare {

/// A picture through a mask: of its fHWC bytes, one a colour of a pixel, those at kept positions stay, the others are
/// black. The model gets less: the kept bytes alone, without their places.
struct SeenPicture {
  media::Image image;
  std::uint64_t num_kept = 0;  ///< bytes, of 3 * width * height
};

/// \throws Error as bytes::kept_positions().
SeenPicture seen_through(const bytes::PositionMask& mask, media::Image image);

}  // namespace byteformer::prepare
