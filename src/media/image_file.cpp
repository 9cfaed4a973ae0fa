// The checks that all decoders of pictures share.
#include "media/image_file.hpp"

#include "byteformer/error.hpp"

namespace byteformer::media {
namespace {

std::string size_text(std::uint64_t width, std::uint64_t height) {
  return std::to_string(width) + " x " + std::to_string(height);
}

}  // namespace

void throw_damaged(const ImageFile& file, std::string_view kind, std::string_view reason) {
  throw Error(ErrorCode::kInvalidFormat, file.source + ": damaged " + std::string(kind) + ": " + std::string(reason));
}

void check_size(const ImageFile& file, std::string_view kind, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) throw_damaged(file, kind, "it has no pixels (" + size_text(width, height) + ")");
  if (width > file.max_pixels || height > file.max_pixels / width)
    throw Error(ErrorCode::kInvalidFormat, file.source + ": the " + std::string(kind) + " says it has " +
                                               size_text(width, height) + " pixels; at most " +
                                               std::to_string(file.max_pixels) + " are allowed");
}

Image blank_image(const ImageFile& file, std::string_view kind, std::uint64_t width, std::uint64_t height) {
  check_size(file, kind, width, height);
  Image image{static_cast<int>(width), static_cast<int>(height), {}};
  image.rgb.resize(width * height * 3);
  return image;
}

}  // namespace byteformer::media
