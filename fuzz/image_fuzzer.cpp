// Pictures of every kind.
#include "fuzzing.hpp"
#include "media/image.hpp"
#include "with_codecs.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxPixels = std::size_t{1} << 20;  // time and memory for the search, not for large pictures
  return fuzz::survive([&] {
    const auto image = media::decode_image({data, size}, "x", kMaxPixels);
    fuzz::require(media::image_kind({data, size}).has_value());
    fuzz::require(image.width > 0 && image.height > 0);
    const std::size_t num_pixels = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
    fuzz::require(num_pixels <= kMaxPixels && image.rgb.size() == num_pixels * 3);
  });
}
