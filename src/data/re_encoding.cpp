// Implementation of re_encoding.hpp.
#include "data/re_encoding.hpp"

#include <algorithm>

#include "byteformer/error.hpp"
#include "encode/sound_encoders.hpp"

namespace byteformer::data {
namespace {

/// Through MP3 and back, as long as it was and where it was.
encode::Sound through_mp3(const encode::Sound& sound, int kbit_per_s, const std::string& source) {
  encode::Sound out = encode::decode_sound(encode::encode_mp3(sound, kbit_per_s), source);
  const std::size_t delay = std::min(encode::kMp3DelaySamples, out.samples.size());
  out.samples.erase(out.samples.begin(), out.samples.begin() + static_cast<std::ptrdiff_t>(delay));
  encode::fit(out, sound.samples.size());
  return out;
}

}  // namespace

encode::FileBytes re_encoded(encode::FileBytes file, ReEncodingKind kind, int level, const std::string& source) {
  const bool is_image = encode::image_kind(file).has_value();
  if (!is_image && !encode::sound_kind(file))
    throw Error(ErrorCode::kUnsupported,
                source + ": is no picture and no sound that we know, so it cannot be encoded in another way");
  if (is_image != (kind == ReEncodingKind::kJpegQuality)) return file;
  if (is_image) return encode::encode_jpeg(encode::decode_image(file, source), level);
  const encode::Sound sound = encode::decode_sound(file, source);
  try {
    return encode::encode_wav(
        kind == ReEncodingKind::kSampleRate ? encode::resampled(sound, level) : through_mp3(sound, level, source),
        encode::SampleFormat::kFloat32);
  } catch (const Error& error) {
    throw error.code() == ErrorCode::kInvalidArgument ? Error(error.code(), source + ": " + error.what()) : error;
  }
}

}  // namespace byteformer::data
