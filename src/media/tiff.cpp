// TIFF as we write it: a header of 140 bytes, then the pixels. What others write is the module's work.
#include <algorithm>
#include <array>

#include "base/bytes_io.hpp"
#include "media/decoding.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

using namespace std::string_view_literals;
constexpr std::size_t kHeaderBytes = 140;
constexpr std::size_t kWidthOffset = 18;
constexpr std::size_t kHeightOffset = 30;

std::array<std::uint8_t, kHeaderBytes> header_of(PictureSize size) noexcept {
  constexpr std::uint32_t kShort = 3, kLong = 4;
  constexpr std::uint32_t kDirectoryOffset = 8, kBitsOffset = 134;
  struct Entry {
    std::uint32_t tag, type, count, value;
  };
  const std::array<Entry, 10> entries{{
      {256, kLong, 1, size.width},
      {257, kLong, 1, size.height},
      {258, kShort, 3, kBitsOffset},
      {259, kShort, 1, 1},            // no compression
      {262, kShort, 1, 2},            // RGB
      {273, kLong, 1, kHeaderBytes},  // one strip
      {277, kShort, 1, 3},            // samples per pixel
      {278, kLong, 1, size.height},   // rows per strip
      {279, kLong, 1, 3 * size.width * size.height},
      {284, kShort, 1, 1},  // interleaved
  }};
  std::array<std::uint8_t, kHeaderBytes> out{'I', 'I'};
  std::size_t at = 2;
  const auto put = [&](std::uint32_t value, int num_bytes) {
    for (int i = 0; i < num_bytes; ++i) out[at++] = static_cast<std::uint8_t>(value >> (8 * i));
  };
  put(42, 2);
  put(kDirectoryOffset, 4);
  put(entries.size(), 2);
  for (const Entry& entry : entries) {
    put(entry.tag, 2);
    put(entry.type, 2);
    put(entry.count, 4);
    put(entry.value, 4);
  }
  put(0, 4);  // no further directory
  for (int channel = 0; channel < 3; ++channel) put(8, 2);
  return out;
}

}  // namespace

bool is_tiff(std::span<const std::uint8_t> file) noexcept {
  return std::ranges::any_of(std::array{"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv},  // 43 (+) is BigTIFF
                             [&](std::string_view start) { return base::has_tag(file, 0, start); });
}

FileBytes encode_tiff(const Image& image) {
  const auto memory = memory_to_encode(image);
  const auto header = header_of({static_cast<std::uint32_t>(image.width), static_cast<std::uint32_t>(image.height)});
  FileBytes out(kHeaderBytes + image.rgb.size());
  std::ranges::copy(image.rgb, std::ranges::copy(header, out.begin()).out);
  return out;
}

std::optional<PictureSize> own_tiff_size(const FileEnds& file) noexcept {
  if (file.head.size() < kHeaderBytes) return std::nullopt;
  const PictureSize size{static_cast<std::uint32_t>(base::little_endian(file.head, kWidthOffset, 4)),
                         static_cast<std::uint32_t>(base::little_endian(file.head, kHeightOffset, 4))};
  const auto header = header_of(size);
  if (!std::equal(header.begin(), header.end(), file.head.begin())) return std::nullopt;
  const std::uint64_t num_pixels = (file.num_bytes - kHeaderBytes) / 3;
  const bool fits = size.width > 0 && size.height > 0 && std::uint64_t{size.width} * size.height == num_pixels &&
                    kHeaderBytes + num_pixels * 3 == file.num_bytes;
  return fits ? std::optional(size) : std::nullopt;
}

std::optional<PicturePlaces> tiff_places(std::span<const std::uint8_t> file) {
  const auto size = own_tiff_size(file);
  if (!size || std::uint64_t{size->width} * size->height > kMaxPixels) return std::nullopt;
  return fhwc_places(static_cast<int>(size->width), static_cast<int>(size->height), kHeaderBytes);
}

}  // namespace byteformer::media
