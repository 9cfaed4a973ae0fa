// The encodings without compression: interleaved pixels, planes, and TIFF.
#include <array>

#include "media/byte_writer.hpp"
#include "media/encodable.hpp"
#include "media/image_encoders.hpp"

namespace byteformer::media {
namespace {

constexpr std::uint32_t kShort = 3;
constexpr std::uint32_t kLong = 4;
constexpr std::uint32_t kDirectoryOffset = 8;
constexpr std::uint32_t kBitsOffset = 134;
constexpr std::uint32_t kPixelsOffset = 140;

struct TiffEntry {
  std::uint32_t tag;
  std::uint32_t type;
  std::uint32_t count;
  std::uint32_t value;
};

}  // namespace

FileBytes encode_fhwc(const Image& image) {
  check_encodable(image);
  return image.rgb;
}

FileBytes encode_fchw(const Image& image) {
  check_encodable(image);
  FileBytes out;
  out.reserve(image.rgb.size());
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) out.push_back(image.rgb[i]);
  return out;
}

FileBytes encode_tiff(const Image& image) {
  check_encodable(image);
  const auto width = static_cast<std::uint32_t>(image.width);
  const auto height = static_cast<std::uint32_t>(image.height);
  const std::array<TiffEntry, 10> entries{{
      {256, kLong, 1, width},
      {257, kLong, 1, height},
      {258, kShort, 3, kBitsOffset},
      {259, kShort, 1, 1},             // no compression
      {262, kShort, 1, 2},             // RGB
      {273, kLong, 1, kPixelsOffset},  // one strip
      {277, kShort, 1, 3},             // samples a pixel
      {278, kLong, 1, height},         // rows a strip
      {279, kLong, 1, 3 * width * height},
      {284, kShort, 1, 1},  // interleaved
  }};
  FileBytes out;
  out.reserve(kPixelsOffset + image.rgb.size());
  append_text(out, "II");
  append_little_endian(out, 42, 2);
  append_little_endian(out, kDirectoryOffset, 4);
  append_little_endian(out, entries.size(), 2);
  for (const TiffEntry& entry : entries) {
    append_little_endian(out, entry.tag, 2);
    append_little_endian(out, entry.type, 2);
    append_little_endian(out, entry.count, 4);
    append_little_endian(out, entry.value, 4);
  }
  append_little_endian(out, 0, 4);  // no further directory
  for (int channel = 0; channel < 3; ++channel) append_little_endian(out, 8, 2);
  out.insert(out.end(), image.rgb.begin(), image.rgb.end());
  return out;
}

}  // namespace byteformer::media
