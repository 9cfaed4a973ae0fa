// Recognizing a picture by its first bytes, decoding it with the decoder of its format, and cropping.
#include "media/image.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/image_file.hpp"
#include "media/orientation.hpp"

namespace byteformer::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool has(Bytes file, std::size_t offset, std::string_view text) noexcept {
  return file.size() >= offset + text.size() &&
         std::equal(text.begin(), text.end(), file.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

bool is_jpeg(Bytes file) noexcept { return has(file, 0, "\xFF\xD8\xFF"); }
bool is_png(Bytes file) noexcept { return has(file, 0, "\x89PNG\r\n\x1A\n"); }
bool is_webp(Bytes file) noexcept { return has(file, 0, "RIFF") && has(file, 8, "WEBP"); }
bool is_gif(Bytes file) noexcept { return has(file, 0, "GIF87a") || has(file, 0, "GIF89a"); }

bool is_tiff(Bytes file) noexcept {
  using namespace std::string_view_literals;  // 43 is BigTIFF
  return has(file, 0, "II*\0"sv) || has(file, 0, "MM\0*"sv) || has(file, 0, "II+\0"sv) || has(file, 0, "MM\0+"sv);
}

/// "BM" alone begins many texts; the size of one of the known headers must follow.
bool is_bmp(Bytes file) noexcept {
  constexpr std::array<std::uint8_t, 8> kHeaderSizes{12, 16, 40, 52, 56, 64, 108, 124};
  return file.size() >= 18 && has(file, 0, "BM") && std::ranges::count(kHeaderSizes, file[14]) > 0 && file[15] == 0 &&
         file[16] == 0 && file[17] == 0;
}

bool is_pnm(Bytes file) noexcept {
  return file.size() >= 3 && file[0] == 'P' && file[1] >= '1' && file[1] <= '6' &&
         std::string_view(" \t\r\n#").find(static_cast<char>(file[2])) != std::string_view::npos;
}

struct Codec {
  std::string_view kind;
  bool (*recognizes)(Bytes) noexcept;
  StoredImage (*decode)(const ImageFile&);
};

template <auto kDecode>
StoredImage by_module(const ImageFile& file) {
  return (codec_table().*kDecode)(file);
}

constexpr std::array<Codec, 7> kCodecs{{{"jpeg", is_jpeg, by_module<&CodecTable::decode_jpeg>},
                                        {"png", is_png, by_module<&CodecTable::decode_png>},
                                        {"tiff", is_tiff, by_module<&CodecTable::decode_tiff>},
                                        {"webp", is_webp, by_module<&CodecTable::decode_webp>},
                                        {"gif", is_gif, by_module<&CodecTable::decode_gif>},
                                        {"bmp", is_bmp, decode_bmp},
                                        {"pnm", is_pnm, decode_pnm}}};

const Codec* codec_of(Bytes file) noexcept {
  const auto found = std::ranges::find_if(kCodecs, [&](const Codec& codec) { return codec.recognizes(file); });
  return found == kCodecs.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string_view> image_kind(Bytes file) noexcept {
  const Codec* codec = codec_of(file);
  if (codec == nullptr) return std::nullopt;
  return codec->kind;
}

Image decode_image(Bytes file, const std::string& source, std::size_t max_pixels) {
  const Codec* codec = codec_of(file);
  if (codec == nullptr)
    throw Error(ErrorCode::kUnsupported,
                source + ": is no picture that byteformer knows; expected JPEG, PNG, TIFF, WebP, GIF, BMP or PNM");
  StoredImage stored = codec->decode({file, source, std::min(max_pixels, kMaxPixels)});
  return upright(std::move(stored.image), stored.orientation);
}

Image cropped(const Image& image, int left, int top, int width, int height, const std::string& source) {
  if (left < 0 || top < 0 || width < 1 || height < 1 || width > image.width - left || height > image.height - top)
    throw Error(ErrorCode::kInvalidArgument, source + ": cannot crop " + std::to_string(width) + " x " +
                                                 std::to_string(height) + " pixels at (" + std::to_string(left) + ", " +
                                                 std::to_string(top) + ") out of a picture of " +
                                                 std::to_string(image.width) + " x " + std::to_string(image.height));
  Image out{width, height, {}};
  const auto row_bytes = static_cast<std::size_t>(width) * 3;
  out.rgb.reserve(row_bytes * static_cast<std::size_t>(height));
  for (int y = top; y < top + height; ++y) {
    const auto* row =
        image.rgb.data() +
        (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(left)) * 3;
    out.rgb.insert(out.rgb.end(), row, row + row_bytes);
  }
  return out;
}

Image center_cropped(const Image& image, int size, const std::string& source) {
  if (size > image.width || size > image.height)
    throw Error(ErrorCode::kInvalidArgument, source + ": cannot crop the middle " + std::to_string(size) + " x " +
                                                 std::to_string(size) + " pixels out of a picture of " +
                                                 std::to_string(image.width) + " x " + std::to_string(image.height) +
                                                 "; resize it to at least the crop first");
  return cropped(image, (image.width - size) / 2, (image.height - size) / 2, size, size, source);
}

}  // namespace byteformer::media
