// BMP by stb_image, after a look at its header: stb_image reads zeros beyond the end of a file.
#include <cstdlib>
#include <memory>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/decoding.hpp"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#include <stb/stb_image.h>

namespace byteformer::media {
namespace {

constexpr std::string_view kKind = "BMP";
constexpr std::uint32_t kOldHeaderBytes = 12;  // its width and height have 16 bits

using base::little_endian;

struct Header {
  std::uint64_t width;
  std::uint64_t height;
  std::uint64_t bits;
  std::uint64_t pixels_offset;
};

Header read_header(const ImageFile& file) {
  const auto bytes = file.bytes;
  if (bytes.size() < 34) throw_damaged(file, kKind, "it ends inside its header");
  const std::uint64_t offset = little_endian(bytes, 10, 4);
  if (little_endian(bytes, 14, 4) == kOldHeaderBytes)
    return {little_endian(bytes, 18, 2), little_endian(bytes, 20, 2), little_endian(bytes, 24, 2), offset};
  const auto height = static_cast<std::int32_t>(little_endian(bytes, 22, 4));  // negative: rows from the top
  const std::uint64_t compression = little_endian(bytes, 30, 4);
  if (compression != 0 && compression != 3)
    throw Error(ErrorCode::kUnsupported, file.source + ": a BMP with compression " + std::to_string(compression) +
                                             "; only uncompressed ones are read");
  return {little_endian(bytes, 18, 4), static_cast<std::uint64_t>(std::abs(std::int64_t{height})),
          little_endian(bytes, 28, 2), offset};
}

void check_complete(const ImageFile& file, const Header& header) {
  check_size(file, kKind, header.width, header.height);
  const std::uint64_t row_bytes = (header.width * header.bits + 7) / 8;
  const std::uint64_t stride = (row_bytes + 3) / 4 * 4;
  const std::uint64_t needed = header.pixels_offset + stride * (header.height - 1) + row_bytes;
  if (file.bytes.size() < needed)
    throw_damaged(file, kKind,
                  "it ends too early: " + std::to_string(file.bytes.size()) + " bytes of " + std::to_string(needed));
}

}  // namespace

/// "BM" alone begins many texts; the size of one of the known headers must follow.
bool is_bmp(std::span<const std::uint8_t> file) noexcept {
  constexpr std::array<std::uint8_t, 8> kHeaderSizes{12, 16, 40, 52, 56, 64, 108, 124};
  return file.size() >= 18 && base::has_tag(file, 0, "BM") && std::ranges::count(kHeaderSizes, file[14]) > 0 &&
         file[15] == 0 && file[16] == 0 && file[17] == 0;
}

StoredImage decode_bmp(const ImageFile& file) {
  const Header header = read_header(file);
  check_complete(file, header);
  // stb_image needs four bytes per pixel, and may copy three or four of them once.
  StoredImage out{blank_image(file, kKind, header.width, header.height, header.width * header.height * 8, false), 1};
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&std::free)> rgba(
      stbi_load_from_memory(file.bytes.data(), static_cast<int>(std::min(file.bytes.size(), std::size_t{INT32_MAX})),
                            &width, &height, &channels, 4),
      std::free);
  if (rgba == nullptr) throw_damaged(file, kKind, stbi_failure_reason());
  if (width != out.image.width || height != out.image.height) throw_damaged(file, kKind, "its header is wrong");
  const std::uint8_t* from = rgba.get();
  for (std::size_t i = 0; i < out.image.rgb.size(); i += 3, from += 4)
    for (std::size_t c = 0; c < 3; ++c) out.image.rgb[i + c] = over_white(from[c], from[3]);
  return out;
}

}  // namespace byteformer::media
