// PNG, as far as its chunks tell; its pixels are the module's work.

#include "base/bytes_io.hpp"
#include "media/codecs.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kPixelBytes = 3;
constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";

/// Where the bytes of a deflate stream of stored blocks lie in the IDATs of a PNG, byte by byte as they come out.
class StoredPng {
 public:
  explicit StoredPng(std::span<const std::uint8_t> file) : file_(file) {}

  /// \returns nothing if something else is there than the `num_bytes` that there are to be.
  std::optional<std::vector<std::uint64_t>> positions(std::size_t num_bytes) {
    if (num_bytes > file_.size() || !collect_idats() || stream_.size() < 2) return std::nullopt;
    std::vector<std::uint64_t> positions;
    std::size_t at = 2;  // after the zlib header
    for (bool is_last = false; !is_last;) {
      if (at + 5 > stream_.size() || (byte(at) & 6) != 0) return std::nullopt;  // not a stored block
      is_last = (byte(at) & 1) != 0;
      const std::size_t size = byte(at + 1) | static_cast<std::size_t>(byte(at + 2)) << 8;
      at += 5;
      if (at + size > stream_.size() || positions.size() + size > num_bytes) return std::nullopt;
      for (std::size_t i = 0; i < size; ++i) positions.push_back(stream_[at + i]);
      at += size;
    }
    if (positions.size() != num_bytes) return std::nullopt;
    return positions;
  }

 private:
  std::uint8_t byte(std::size_t at) const { return file_[stream_[at]]; }

  bool collect_idats() {
    for (std::size_t at = 8; base::has_bytes(file_, at, 12);) {
      const std::uint64_t size = base::big_endian(file_, at, 4);
      if (!base::has_bytes(file_, at + 8, size)) return false;
      if (base::has_tag(file_, at + 4, "IDAT"))
        for (std::uint64_t i = 0; i < size; ++i) stream_.push_back(at + 8 + i);
      at += 12 + size;
    }
    return true;
  }

  std::span<const std::uint8_t> file_;
  std::vector<std::uint64_t> stream_;  // positions in the file
};

/// Its size, where the header says 8-bit RGB without interlace.
std::optional<PictureSize> plain_rgb_size(std::span<const std::uint8_t> file) noexcept {
  using namespace std::string_view_literals;  // bits, colour type, compression, filter, interlace
  if (!is_png(file) || !base::has_tag(file, 8, "\0\0\0\x0DIHDR"sv) || !base::has_tag(file, 24, "\x08\x02\0\0\0"sv))
    return std::nullopt;
  const auto number = [&](std::size_t at) { return static_cast<std::uint32_t>(base::big_endian(file, at, 4)); };
  return PictureSize{number(16), number(20)};
}

}  // namespace

bool is_png(std::span<const std::uint8_t> file) noexcept { return base::has_tag(file, 0, kSignature); }

FileBytes encode_png(const Image& image) {
  const auto memory = memory_to_encode(image);
  return codecs().encode_png(image);
}

std::optional<PictureSize> own_png_size(const FileEnds& file) noexcept {
  constexpr std::size_t kMinBytes = 57;
  constexpr std::string_view kStored = "\x78\x01";  // zlib header of level 0
  const std::span<const std::uint8_t> head = file.head;
  const auto size = plain_rgb_size(head);
  if (!size || head.size() < kMinBytes) return std::nullopt;
  const bool is_stored = base::has_tag(head, 37, "IDAT") && base::has_tag(head, 41, kStored) && (head[43] & 6) == 0;
  return is_stored && base::has_tag(file.tail, 0, "IEND") ? size : std::nullopt;
}

std::optional<PicturePlaces> png_places(std::span<const std::uint8_t> file) {
  const auto size = plain_rgb_size(file);
  if (!size || size->width == 0 || size->height == 0 || size->width > file.size() || size->height > file.size())
    return std::nullopt;
  const std::size_t width = size->width, height = size->height;
  const std::size_t row_bytes = 1 + width * kPixelBytes;
  if (row_bytes > file.size() / height) return std::nullopt;
  const auto positions = StoredPng(file).positions(row_bytes * height);
  if (!positions) return std::nullopt;
  PicturePlaces places{.width = static_cast<int>(width), .height = static_cast<int>(height)};
  for (std::size_t i = 0; i < positions->size(); ++i) {
    if (i % row_bytes == 0) continue;  // the filter's number
    const std::size_t pixel = i / row_bytes * width + (i % row_bytes - 1) / kPixelBytes;
    places.parts.push_back({{(*positions)[i], (*positions)[i] + 1}, static_cast<std::uint32_t>(pixel)});
  }
  return places;
}

}  // namespace byteformer::media
