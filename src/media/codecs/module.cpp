// The table of functions that the module hands out.
#include <string_view>

#include "byteformer/export.hpp"
#include "media/codecs.hpp"

namespace byteformer::media {

extern "C" BYTEFORMER_EXPORT const CodecTable* byteformer_codecs(const char* version) {
  static constexpr CodecTable kTable{.decode_jpeg = codecs::decode_jpeg,
                                     .decode_png = codecs::decode_png,
                                     .decode_tiff = codecs::decode_tiff,
                                     .decode_webp = codecs::decode_webp,
                                     .decode_gif = codecs::decode_gif,
                                     .encode_jpeg = codecs::encode_jpeg,
                                     .encode_png = codecs::encode_png,
                                     .jpeg_places = codecs::jpeg_places,
                                     .decode_mp3 = codecs::decode_mp3,
                                     .decode_with_sndfile = codecs::decode_with_sndfile,
                                     .encode_mp3 = codecs::encode_mp3,
                                     .resampled = codecs::resampled,
                                     .lame_version = codecs::lame_version};
  return std::string_view(version) == BYTEFORMER_VERSION ? &kTable : nullptr;
}

}  // namespace byteformer::media
