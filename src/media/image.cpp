// Recognizing a picture by its first bytes, decoding it with the decoder of its format, turning and cropping it.
#include "media/image.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes_io.hpp"
#include "base/process_local.hpp"
#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

bool is_webp(Bytes file) noexcept { return base::has_tag(file, 0, "RIFF") && base::has_tag(file, 8, "WEBP"); }
bool is_gif(Bytes file) noexcept { return base::has_tag(file, 0, "GIF87a") || base::has_tag(file, 0, "GIF89a"); }

struct Format {
  std::string_view kind;
  std::string_view title;
  bool (*recognizes)(Bytes) noexcept;
};

constexpr std::array<Format, 7> kFormats{{{"jpeg", "JPEG", is_jpeg},
                                          {"png", "PNG", is_png},
                                          {"tiff", "TIFF", is_tiff},
                                          {"webp", "WebP", is_webp},
                                          {"gif", "GIF", is_gif},
                                          {"bmp", "BMP", is_bmp},
                                          {"pnm", "PNM", is_pnm}}};

template <auto kDecode>
StoredImage by_module(const ImageFile& file) {
  return (codecs().*kDecode)(file);
}

/// In the order of kFormats, and apart from them: a library that only recognizes files links no decoder.
constexpr std::array<StoredImage (*)(const ImageFile&), kFormats.size()> kDecoders{by_module<&Codecs::decode_jpeg>,
                                                                                   by_module<&Codecs::decode_png>,
                                                                                   by_module<&Codecs::decode_tiff>,
                                                                                   by_module<&Codecs::decode_webp>,
                                                                                   by_module<&Codecs::decode_gif>,
                                                                                   decode_bmp,
                                                                                   decode_pnm};

const Format* format_of(Bytes file) noexcept {
  const auto found = std::ranges::find_if(kFormats, [&](const Format& format) { return format.recognizes(file); });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

MemoryBudget& decoding_budget() {
  static const base::ProcessLocal<MemoryBudget, std::uint64_t> budget(kMaxDecodingBytes);
  return budget.get();
}

MemoryBudget::Share memory_for(std::uint64_t num_bytes) {
  return decoding_budget().reserve(std::min(num_bytes, kMaxDecodingBytes));
}

std::optional<std::string_view> image_kind(Bytes file) noexcept {
  const Format* format = format_of(file);
  return format == nullptr ? std::nullopt : std::optional(format->kind);
}

Image decode_image(Bytes file, const std::string& source, std::size_t max_pixels) {
  const Format* format = format_of(file);
  if (format == nullptr)
    base::fail(ErrorCode::kUnsupported, base::About{source}, "is no picture that byteformer knows", other_kind(file),
               "; expected JPEG, PNG, TIFF, WebP, GIF, BMP or PNM");
  const auto decode = kDecoders[static_cast<std::size_t>(format - kFormats.data())];
  StoredImage stored = decode({{file, source, format->title, decoding_budget()}, std::min(max_pixels, kMaxPixels)});
  Image image = upright(std::move(stored.image), stored.orientation);
  image.memory.shrink(image.rgb.size());
  return image;
}

Image upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool transposes = orientation >= 5;
  const bool flips_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flips_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out{transposes ? image.height : image.width, transposes ? image.width : image.height, {}};
  out.memory = std::move(image.memory);
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

Image cropped(const Image& image, int left, int top, int width, int height, const std::string& source) {
  if (left < 0 || top < 0 || width < 1 || height < 1 || width > image.width - left || height > image.height - top)
    base::fail(ErrorCode::kInvalidArgument, base::About{source}, "cannot crop ", width, " x ", height, " pixels at (",
               left, ", ", top, ") out of a picture of ", image.width, " x ", image.height);
  Image out{width, height, {}};
  const auto row_bytes = static_cast<std::size_t>(width) * 3;
  out.memory = memory_for(row_bytes * static_cast<std::size_t>(height));
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
    base::fail(ErrorCode::kInvalidArgument, base::About{source}, "cannot crop the middle ", size, " x ", size,
               " pixels out of a picture of ", image.width, " x ", image.height,
               "; resize it to at least the crop first");
  return cropped(image, (image.width - size) / 2, (image.height - size) / 2, size, size, source);
}

MemoryBudget::Share memory_to_encode(const Image& image) {
  const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
  if (image.width > 0 && image.height > 0 && height <= kMaxPixels / width && image.rgb.size() == width * height * 3)
    return memory_for(image.rgb.size());
  base::fail(ErrorCode::kInvalidArgument, "cannot encode a picture of ", image.width, " x ", image.height, " with ",
             image.rgb.size(), " bytes");
}

FileBytes encode_fhwc(const Image& image) {
  const auto memory = memory_to_encode(image);
  return image.rgb;
}

FileBytes encode_fchw(const Image& image) {
  const auto memory = memory_to_encode(image);
  FileBytes out;
  out.reserve(image.rgb.size());
  for (std::size_t channel = 0; channel < 3; ++channel)
    for (std::size_t i = channel; i < image.rgb.size(); i += 3) out.push_back(image.rgb[i]);
  return out;
}

PicturePlaces fhwc_places(int width, int height, std::uint64_t begin) {
  PicturePlaces places{.width = width, .height = height};
  for (std::uint32_t pixel = 0; pixel < places.num_blocks(); ++pixel)
    places.parts.push_back({{begin + pixel * std::uint64_t{3}, begin + (pixel + 1) * std::uint64_t{3}}, pixel});
  return places;
}

PicturePlaces fchw_places(int width, int height) {
  PicturePlaces places{.width = width, .height = height};
  const std::uint64_t plane = places.num_blocks();
  for (std::uint64_t channel = 0; channel < 3; ++channel)
    for (std::uint32_t pixel = 0; pixel < plane; ++pixel)
      places.parts.push_back({{channel * plane + pixel, channel * plane + pixel + 1}, pixel});
  return places;
}

}  // namespace byteformer::media
