// Implementation of re_encoding.hpp.
#include "data/re_encoding.hpp"

#include <algorithm>

#include "byteformer/error.hpp"
#include "media/sound.hpp"

namespace byteformer::data {
namespace {

/// Through MP3 and back, as long as it was and where it was.
media::Sound through_mp3(const media::Sound& sound, int kbit_per_s, const std::string& source) {
  media::Sound out = media::decode_sound(media::encode_mp3(sound, kbit_per_s), source);
  const std::size_t delay = std::min(media::kMp3DelaySamples, out.samples.size());
  out.samples.erase(out.samples.begin(), out.samples.begin() + static_cast<std::ptrdiff_t>(delay));
  media::fit(out, sound.samples.size());
  return out;
}

}  // namespace

media::FileBytes re_encoded(media::FileBytes file, ReEncodingKind kind, int level, const std::string& source) {
  const bool is_image = media::image_kind(file).has_value();
  if (!is_image && !media::sound_kind(file))
    throw Error(ErrorCode::kUnsupported,
                source + ": is no picture and no sound that we know, so it cannot be encoded in another way");
  if (is_image != (kind == ReEncodingKind::kJpegQuality)) return file;
  if (is_image) return media::encode_jpeg(media::decode_image(file, source), level);
  const media::Sound sound = media::decode_sound(file, source);
  try {
    return media::encode_wav(
        kind == ReEncodingKind::kSampleRate ? media::resampled(sound, level) : through_mp3(sound, level, source),
        media::SampleFormat::kFloat32);
  } catch (const Error& error) {
    throw error.code() == ErrorCode::kInvalidArgument ? Error(error.code(), source + ": " + error.what()) : error;
  }
}

}  // namespace byteformer::data
