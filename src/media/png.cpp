// Places in pictures without entropy coding: raw pixels, TIFF, stored PNG.
#include <algorithm>
#include <limits>

#include "media/byte_reader.hpp"
#include "media/image_encoders.hpp"
#include "media/places.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kTiffHeaderBytes = 140;
constexpr std::size_t kPixelBytes = 3;

PicturePlaces interleaved(int width, int height, std::uint64_t begin) {
  PicturePlaces places{.width = width, .height = height};
  for (std::uint32_t pixel = 0; pixel < places.num_blocks(); ++pixel)
    places.parts.push_back({{begin + pixel * kPixelBytes, begin + (pixel + 1) * kPixelBytes}, pixel});
  return places;
}

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
    for (std::size_t at = 8; has_bytes(file_, at, 12);) {
      const std::uint64_t size = big_endian(file_, at, 4);
      if (!has_bytes(file_, at + 8, size)) return false;
      if (has_tag(file_, at + 4, "IDAT"))
        for (std::uint64_t i = 0; i < size; ++i) stream_.push_back(at + 8 + i);
      at += 12 + size;
    }
    return true;
  }

  std::span<const std::uint8_t> file_;
  std::vector<std::uint64_t> stream_;  // positions in the file
};

}  // namespace

PicturePlaces fhwc_places(int width, int height) { return interleaved(width, height, 0); }

PicturePlaces fchw_places(int width, int height) {
  PicturePlaces places{.width = width, .height = height};
  const std::uint64_t plane = places.num_blocks();
  for (std::uint64_t channel = 0; channel < kPixelBytes; ++channel)
    for (std::uint32_t pixel = 0; pixel < plane; ++pixel)
      places.parts.push_back({{channel * plane + pixel, channel * plane + pixel + 1}, pixel});
  return places;
}

std::optional<PicturePlaces> tiff_places(std::span<const std::uint8_t> file) {
  if (file.size() < kTiffHeaderBytes) return std::nullopt;
  const std::uint64_t width = little_endian(file, 18, 4), height = little_endian(file, 30, 4);
  const std::uint64_t num_pixels = (file.size() - kTiffHeaderBytes) / kPixelBytes;
  if (width == 0 || height == 0 || width > num_pixels || height != num_pixels / width ||
      kTiffHeaderBytes + width * height * kPixelBytes != file.size() || num_pixels > kMaxPixels)
    return std::nullopt;
  const Image blank{static_cast<int>(width), static_cast<int>(height),
                    std::vector<std::uint8_t>(num_pixels * kPixelBytes)};
  const FileBytes ours = encode_tiff(blank);
  if (!std::equal(ours.begin(), ours.begin() + kTiffHeaderBytes, file.begin())) return std::nullopt;
  return interleaved(blank.width, blank.height, kTiffHeaderBytes);
}

std::optional<PicturePlaces> png_places(std::span<const std::uint8_t> file) {
  if (!has_tag(file, 1, "PNG") || !has_tag(file, 12, "IHDR") || !has_bytes(file, 16, 13)) return std::nullopt;
  const std::uint64_t width = big_endian(file, 16, 4), height = big_endian(file, 20, 4);
  const bool is_plain_rgb = big_endian(file, 24, 4) == 0x08020000 && file[28] == 0;  // 8 bits, RGB, no interlace
  if (!is_plain_rgb || width == 0 || height == 0 || width > file.size() || height > file.size()) return std::nullopt;
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
