// Reading the orientation out of an EXIF block, and flipping and transposing pixels.
#include <algorithm>
#include <array>
#include <cstddef>

#include "media/orientation.hpp"

namespace byteformer::media {
namespace {

constexpr std::array<std::uint8_t, 6> kPrefix{'E', 'x', 'i', 'f', 0, 0};
constexpr unsigned kOrientationTag = 274;
constexpr unsigned kShort = 3;
constexpr std::size_t kEntryBytes = 12;

/// The numbers of a TIFF structure; zero beyond its end, which no valid field holds.
class Numbers {
 public:
  explicit Numbers(std::span<const std::uint8_t> bytes) noexcept
      : bytes_(bytes), is_big_endian_(!bytes.empty() && bytes[0] == 'M') {}

  std::uint32_t at(std::size_t offset, std::size_t num_bytes) const noexcept {
    if (offset > bytes_.size() || num_bytes > bytes_.size() - offset) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < num_bytes; ++i)
      value = value << 8 | bytes_[offset + (is_big_endian_ ? i : num_bytes - 1 - i)];
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool is_big_endian_;
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> exif) noexcept {
  if (exif.size() > kPrefix.size() && std::equal(kPrefix.begin(), kPrefix.end(), exif.begin()))
    exif = exif.subspan(kPrefix.size());
  const Numbers numbers(exif);
  if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M') || numbers.at(2, 2) != 42) return 1;

  const std::size_t directory = numbers.at(4, 4);
  const std::size_t num_entries = numbers.at(directory, 2);
  for (std::size_t i = 0; i < num_entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) break;
    if (numbers.at(entry, 2) != kOrientationTag || numbers.at(entry + 2, 2) != kShort) continue;
    const auto orientation = static_cast<int>(numbers.at(entry + 8, 2));
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposes = orientation >= 5;
  const bool flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out{transposes ? image.height : image.width, transposes ? image.width : image.height, {}};
  out.rgb.resize(image.rgb.size());
  auto to = out.rgb.begin();
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x, to += 3) {
      const int column = transposes ? y : x;
      const int row = transposes ? x : y;
      const auto from_x = static_cast<std::size_t>(flips_x ? image.width - 1 - column : column);
      const auto from_y = static_cast<std::size_t>(flips_y ? image.height - 1 - row : row);
      std::copy_n(image.rgb.begin() +
                      static_cast<std::ptrdiff_t>((from_y * static_cast<std::size_t>(image.width) + from_x) * 3),
                  3, to);
    }
  return out;
}

}  // namespace byteformer::media
