// Where pixels and samples lie: never outside of the file or of the picture.
#include "fuzzing.hpp"
#include "media/places.hpp"
#include "with_codecs.hpp"

using namespace byteformer;

namespace {

template <typename Places>
void check(const Places& places, std::size_t num_blocks, std::size_t file_size) {
  for (const media::Part& part : places.parts) {
    fuzz::require(part.bytes.begin < part.bytes.end && part.bytes.end <= file_size);
    fuzz::require(part.block < num_blocks);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> file(data, size);
  return fuzz::survive([&] {
    for (const auto places_of : {media::tiff_places, media::png_places, media::jpeg_places})
      if (const auto places = places_of(file)) check(*places, places->num_blocks(), size);
    for (const auto places_of : {media::wav_places, media::mp3_places})
      if (const auto places = places_of(file)) check(*places, places->num_blocks, size);
  });
}
