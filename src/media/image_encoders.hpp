// The published encodings of pictures, byte for byte. \see spec of data, section 1
// All throw Error kInvalidArgument for a picture without pixels or whose bytes do not fit its size.
#pragma once

#include <cstdint>
#include <vector>

#include "media/image.hpp"

namespace byteformer::media {

using FileBytes = std::vector<std::uint8_t>;

FileBytes encode_fhwc(const Image& image);  ///< pixels row by row, channels interleaved
FileBytes encode_fchw(const Image& image);  ///< three planes
FileBytes encode_tiff(const Image& image);  ///< uncompressed, 140 bytes before the pixels
FileBytes encode_png(const Image& image);   ///< filtered rows in the published order of trials, deflate level 0
/// Baseline JPEG, 4:2:0. \param quality 1 to 100
/// \throws Error kInvalidArgument for another quality, and for sides longer than 65500 pixels.
FileBytes encode_jpeg(const Image& image, int quality);

}  // namespace byteformer::media
