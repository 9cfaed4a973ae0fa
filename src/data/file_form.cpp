// Whether a picture or sound already is what a model expects, judged by its header alone.
#include <algorithm>
#include <array>
#include <string_view>

#include "data/preprocess.hpp"
#include "data/sound_form.hpp"

namespace byteformer::data {
namespace {

using Bytes = std::span<const std::uint8_t>;
using namespace std::string_view_literals;

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

bool has(Bytes file, std::size_t offset, std::string_view text) noexcept {
  return offset <= file.size() && text.size() <= file.size() - offset &&
         std::ranges::equal(file.subspan(offset, text.size()), text, {}, {}, [](char c) { return std::uint8_t(c); });
}

std::uint32_t little_endian(Bytes file, std::size_t offset) noexcept {
  return file[offset] | file[offset + 1] << 8 | file[offset + 2] << 16 | std::uint32_t{file[offset + 3]} << 24;
}

std::uint32_t big_endian(Bytes file, std::size_t offset, int num_bytes) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < num_bytes; ++i) value = value << 8 | file[offset + i];
  return value;
}

/// Our own TIFF to the byte: any other is re-encoded, which loses nothing.
std::optional<Size> tiff_size(Bytes file) noexcept {
  constexpr std::string_view kStart = "II*\0\x08\0\0\0\x0A\0\x00\x01\x04\0\x01\0\0\0"sv;
  constexpr std::uint32_t kPixels = 140;
  constexpr std::array<std::array<std::uint32_t, 4>, 8> kRest = {{{258, 3, 3, 134},
                                                                  {259, 3, 1, 1},
                                                                  {262, 3, 1, 2},
                                                                  {273, 4, 1, kPixels},
                                                                  {277, 3, 1, 3},
                                                                  {278, 4, 1, 0},
                                                                  {279, 4, 1, 0},
                                                                  {284, 3, 1, 1}}};
  if (file.size() < kPixels || !has(file, 0, kStart) || !has(file, 22, "\x01\x01\x04\0\x01\0\0\0"sv))
    return std::nullopt;
  const Size size{little_endian(file, 18), little_endian(file, 30)};
  const std::uint64_t num_bytes = std::uint64_t{3} * size.width * size.height;
  for (std::size_t i = 0; i < kRest.size(); ++i) {
    const auto& [tag, type, count, value] = kRest[i];
    const std::size_t at = 34 + 12 * i;
    const std::uint64_t wanted = tag == 278 ? size.height : tag == 279 ? num_bytes : value;
    if (little_endian(file, at) != (tag | type << 16) || little_endian(file, at + 4) != count ||
        little_endian(file, at + 8) != wanted)
      return std::nullopt;
  }
  if (!has(file, 130, "\0\0\0\0\x08\0\x08\0\x08\0"sv) || file.size() - kPixels != num_bytes) return std::nullopt;
  return size;
}

/// PNG of 8-bit RGB, not interlaced, without chunks of metadata, stored uncompressed.
std::optional<Size> png_size(Bytes file) noexcept {
  constexpr std::size_t kMinBytes = 57;
  constexpr std::string_view kRgb = "\x08\x02\0\0\0"sv;  // bits, colour type, compression, filter, interlace
  constexpr std::string_view kStored = "\x78\x01"sv;     // zlib header of level 0
  if (file.size() < kMinBytes || !has(file, 0, "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv) || !has(file, 24, kRgb))
    return std::nullopt;
  const bool is_stored = has(file, 37, "IDAT"sv) && has(file, 41, kStored) && (file[43] & 6) == 0;
  if (!is_stored || !has(file, file.size() - 8, "IEND"sv)) return std::nullopt;
  return Size{big_endian(file, 16, 4), big_endian(file, 20, 4)};
}

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
std::optional<Size> baseline_size(Bytes body) noexcept {
  if (body.size() != 15 || body[0] != 8 || body[5] != 3) return std::nullopt;
  if (body[7] != 0x22 || body[10] != 0x11 || body[13] != 0x11) return std::nullopt;
  return Size{big_endian(body, 3, 2), big_endian(body, 1, 2)};
}

/// Baseline JPEG as libjpeg writes it at `quality`, without metadata before the frame that would turn the picture.
std::optional<Size> jpeg_size(Bytes file, int quality) noexcept {
  constexpr std::size_t kLuminanceBytes = 65;
  if (!has(file, 0, "\xFF\xD8"sv) || !has(file, file.size() - 2, "\xFF\xD9"sv)) return std::nullopt;
  bool has_quality = false;
  for (std::size_t offset = 2; offset + 4 <= file.size();) {
    const int marker = file[offset + 1];
    const std::size_t num_bytes = big_endian(file, offset + 2, 2);
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

bool has_size(const std::optional<Size>& size, const ImagePreparation& preparation) noexcept {
  if (!size || size->width == 0 || size->height == 0) return false;
  const auto is = [](std::uint32_t side, int wanted) { return side == static_cast<std::uint32_t>(wanted); };
  if (preparation.crop) return is(size->width, *preparation.crop) && is(size->height, *preparation.crop);
  return !preparation.resize || is(std::min(size->width, size->height), *preparation.resize);
}

/// Bare pixels have no header: their number must be right, and they must not begin as a picture does.
bool is_raw_in_form(Bytes file, const ImagePreparation& preparation) noexcept {
  if (file.empty() || media::image_kind(file)) return false;
  if (preparation.crop) return file.size() == std::size_t{3} * *preparation.crop * *preparation.crop;
  return file.size() % (std::size_t{3} * preparation.resize.value_or(1)) == 0;
}

bool is_in_form(Bytes file, const ImagePreparation& preparation) noexcept {
  switch (preparation.encoding.format) {
    case FileFormat::kTiff: return has_size(tiff_size(file), preparation);
    case FileFormat::kPng: return has_size(png_size(file), preparation);
    case FileFormat::kJpeg: return has_size(jpeg_size(file, preparation.encoding.quality), preparation);
    case FileFormat::kFhwc:
    case FileFormat::kFchw: return is_raw_in_form(file, preparation);
    default: return false;
  }
}

}  // namespace

bool is_in_form(Bytes file, const Preprocess& preprocess) noexcept {
  if (preprocess.is_bytes()) return true;
  return (preprocess.image && is_in_form(file, *preprocess.image)) ||
         (preprocess.sound && is_in_form(file, *preprocess.sound));
}

}  // namespace byteformer::data
