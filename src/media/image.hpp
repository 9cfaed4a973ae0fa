// Pictures as 8-bit RGB: decoding any common kind of file, resizing and cropping as the published pipeline does, and
// the published encodings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/memory_budget.hpp"

namespace byteformer::media {

using FileBytes = std::vector<std::uint8_t>;

/// An 8-bit RGB picture, rows from the top, channels interleaved.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;    ///< [height, width, 3]
  MemoryBudget::Share memory = {};  ///< of a picture that was decoded

  bool operator==(const Image&) const = default;
};

inline constexpr std::size_t kMaxPixels = std::size_t{1} << 28;

/// What all decoding together may take, on all threads, decoded pictures and sounds included until they are dropped.
inline constexpr std::uint64_t kMaxDecodingBytes = std::uint64_t{1} << 30;

/// What the first bytes of a file say it is, for example "jpeg" or "png"; nothing if it is no picture that we know.
std::optional<std::string_view> image_kind(std::span<const std::uint8_t> file) noexcept;

/// What a file is that is neither picture nor sound that we know, for a message: ", but an MP4 or M4A file"; empty
/// where nobody knows.
std::string other_kind(std::span<const std::uint8_t> file);

/// Whether it only stands for a file that `git lfs pull` fetches.
bool is_git_lfs_pointer(std::span<const std::uint8_t> file) noexcept;

/// Decodes JPEG, PNG, TIFF, WebP, GIF (its first frame), BMP and PNM. Grey becomes R = G = B, a palette is expanded,
/// alpha is laid over white, 16 bits are divided by 257, CMYK is converted as libjpeg-turbo does, EXIF orientation is
/// applied. `source` stands in messages. Waits while other threads' decoding leaves too little of kMaxDecodingBytes.
/// \throws Error kUnsupported for what is no picture that we know; kInvalidFormat with the reason for a damaged one, or
///         one of more than `max_pixels`, or that would take more than kMaxDecodingBytes. Thread-safe.
Image decode_image(std::span<const std::uint8_t> file, const std::string& source, std::size_t max_pixels = kMaxPixels);

/// `image` as it should be looked at. \param orientation EXIF's, 1 to 8
Image upright(Image image, int orientation);

/// Resizes to exactly `width` x `height`, bicubic with antialiasing, byte for byte as Pillow does on 8-bit data.
/// \throws Error kInvalidArgument for an empty picture or result, or one of more than kMaxPixels.
Image resized(const Image& image, int width, int height);

/// Resizes the shorter side to `size`; the longer one becomes floor(size * long / short).
/// \throws Error kInvalidArgument as resized().
Image with_shorter_side(const Image& image, int size);

/// The rectangle of `width` x `height` pixels at (`left`, `top`).
/// \throws Error kInvalidArgument naming `source` and both sizes where it does not lie inside the picture.
Image cropped(const Image& image, int left, int top, int width, int height, const std::string& source);

/// The square of `size` pixels in the middle: top = floor((H - size) / 2), left = floor((W - size) / 2).
/// \throws Error kInvalidArgument as cropped().
Image center_cropped(const Image& image, int size, const std::string& source);

// The published encodings, byte for byte. \see docs/model-format.md, "preprocess"
// All throw Error kInvalidArgument for a picture without pixels or whose bytes do not fit its size.

FileBytes encode_fhwc(const Image& image);  ///< pixels row by row, channels interleaved
FileBytes encode_fchw(const Image& image);  ///< three planes
FileBytes encode_tiff(const Image& image);  ///< uncompressed, 140 bytes before the pixels
FileBytes encode_png(const Image& image);   ///< filtered rows in the published order of trials, deflate level 0
/// Baseline JPEG, 4:2:0. \param quality 1 to 100
/// \throws Error kInvalidArgument for another quality, and for sides longer than 65500 pixels.
FileBytes encode_jpeg(const Image& image, int quality);

}  // namespace byteformer::media
