// What every encoder of pictures asks of a picture.
#pragma once

#include <string>

#include "byteformer/error.hpp"
#include "media/image.hpp"

namespace byteformer::media {

/// \throws Error kInvalidArgument for a picture without pixels, with more than kMaxPixels, or whose bytes do not fit
/// its size.
inline void check_encodable(const Image& image) {
  const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
  if (image.width > 0 && image.height > 0 && height <= kMaxPixels / width && image.rgb.size() == width * height * 3)
    return;
  throw Error(ErrorCode::kInvalidArgument, "cannot encode a picture of " + std::to_string(image.width) + " x " +
                                               std::to_string(image.height) + " with " +
                                               std::to_string(image.rgb.size()) + " bytes");
}

}  // namespace byteformer::media
