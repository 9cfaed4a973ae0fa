// JPEG, as far as its markers tell; its pixels are the module's work.
#include <algorithm>
#include <array>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Whether `table` (64 values in zigzag order) is libjpeg's for luminance at `quality`.
bool is_table_of_quality(Bytes table, int quality) noexcept {
  constexpr std::array<std::uint8_t, 64> kLuminance = {
      16, 11,  12, 14, 12, 10, 16,  14,  13,  14, 18, 17,  16,  19,  24,  40,  26, 24,  22,  22, 24, 49,
      35, 37,  29, 40, 58, 51, 61,  60,  57,  51, 56, 55,  64,  72,  92,  78,  64, 68,  87,  69, 55, 56,
      80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99};
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  for (std::size_t i = 0; i < kLuminance.size(); ++i)
    if (table[i] != std::clamp((kLuminance[i] * scale + 50) / 100, 1, 255)) return false;
  return true;
}

/// Of a baseline frame (`body`: after the length) of three components, 4:2:0.
std::optional<PictureSize> baseline_size(Bytes body) noexcept {
  if (body.size() != 15 || body[0] != 8 || body[5] != 3) return std::nullopt;
  if (body[7] != 0x22 || body[10] != 0x11 || body[13] != 0x11) return std::nullopt;
  const auto number = [&](std::size_t at) { return static_cast<std::uint32_t>(base::big_endian(body, at, 2)); };
  return PictureSize{number(3), number(1)};
}

}  // namespace

bool is_jpeg(Bytes file) noexcept { return base::has_tag(file, 0, "\xFF\xD8\xFF"); }

std::optional<PictureSize> own_jpeg_size(const FileEnds& ends, int quality) noexcept {
  constexpr std::size_t kLuminanceBytes = 65;
  const Bytes file = ends.head;
  if (!is_jpeg(file) || !base::has_tag(ends.tail, ends.tail.size() - 2, "\xFF\xD9")) return std::nullopt;
  bool has_quality = false;
  for (std::size_t offset = 2; offset + 4 <= file.size();) {
    const int marker = file[offset + 1];
    const std::size_t num_bytes = base::big_endian(file, offset + 2, 2);
    if (file[offset] != 0xFF || num_bytes < 2 || num_bytes > file.size() - offset - 2) return std::nullopt;
    const Bytes body = file.subspan(offset + 4, num_bytes - 2);
    switch (marker) {
      case 0xC0: return has_quality ? baseline_size(body) : std::nullopt;
      case 0xDB:
        if (body.size() >= kLuminanceBytes && body[0] == 0) has_quality = is_table_of_quality(body.subspan(1), quality);
        break;
      case 0xC4:
      case 0xE0:
      case 0xFE: break;  // Huffman tables, JFIF, comment
      default: return std::nullopt;
    }
    offset += 2 + num_bytes;
  }
  return std::nullopt;
}

FileBytes encode_jpeg(const Image& image, int quality) {
  const auto memory = memory_to_encode(image);
  if (quality < 1 || quality > 100)
    base::fail(ErrorCode::kInvalidArgument, "JPEG quality ", quality, ": expected 1 to 100");
  return codecs().encode_jpeg(image, quality);
}

std::optional<PicturePlaces> jpeg_places(Bytes file) { return codecs().jpeg_places(file); }

}  // namespace byteformer::media
