// The inside of decode_image(): what its decoders share, and those that are our own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "media/image.hpp"

namespace byteformer::media {

struct ImageFile {
  std::span<const std::uint8_t> bytes;
  const std::string& source;
  std::size_t max_pixels;
};

/// A picture as it is stored, and the EXIF orientation (1 to 8) that says how to turn it.
struct StoredImage {
  Image image;
  int orientation = 1;
};

StoredImage decode_bmp(const ImageFile& file);
StoredImage decode_pnm(const ImageFile& file);

/// \throws Error kInvalidFormat: "SOURCE: damaged KIND: REASON".
[[noreturn]] void throw_damaged(const ImageFile& file, std::string_view kind, std::string_view reason);

/// \throws Error kInvalidFormat for a picture that is empty or has more than `file.max_pixels` pixels.
void check_size(const ImageFile& file, std::string_view kind, std::uint64_t width, std::uint64_t height);

/// A checked, zeroed picture.
/// \throws as check_size().
Image blank_image(const ImageFile& file, std::string_view kind, std::uint64_t width, std::uint64_t height);

/// `colour` with opacity `alpha` on white paper, rounded.
constexpr std::uint8_t over_white(unsigned colour, unsigned alpha) noexcept {
  return static_cast<std::uint8_t>((colour * alpha + 255 * (255 - alpha) + 127) / 255);
}

}  // namespace byteformer::media
