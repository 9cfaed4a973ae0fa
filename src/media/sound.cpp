// Recognizing a sound by its first bytes, decoding it, and cutting it to length.
#include "media/sound.hpp"

#include <algorithm>
#include <array>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/mp3_frames.hpp"
#include "media/sound_file.hpp"

namespace byteformer::media {
namespace {

struct Signature {
  std::string_view kind;
  std::string_view start;
  std::string_view form;  // at byte 8
};

constexpr std::array<Signature, 9> kSignatures{{{"wav", "RIFF", "WAVE"},
                                                {"wav", "RIFX", "WAVE"},
                                                {"wav", "RF64", "WAVE"},
                                                {"flac", "fLaC", ""},
                                                {"ogg", "OggS", ""},
                                                {"aiff", "FORM", "AIFF"},
                                                {"aiff", "FORM", "AIFC"},
                                                {"au", ".snd", ""},
                                                {"caf", "caff", ""}}};

/// One frame and, where the file goes on, another: four bytes alone look like a header too often.
bool begins_with_mp3_frames(std::span<const std::uint8_t> file) noexcept {
  const auto num_bytes = mp3_frame_bytes(file);
  return num_bytes && (file.size() < *num_bytes + 4 || mp3_frame_bytes(file.subspan(*num_bytes)));
}

}  // namespace

std::optional<std::string_view> sound_kind(std::span<const std::uint8_t> file) noexcept {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  for (const Signature& signature : kSignatures)
    if (text.starts_with(signature.start) &&
        (signature.form.empty() || (text.size() >= 12 && text.substr(8, 4) == signature.form)))
      return signature.kind;
  if (text.starts_with("ID3") || begins_with_mp3_frames(file)) return "mp3";
  return std::nullopt;
}

Sound decode_sound(std::span<const std::uint8_t> file, const std::string& source, std::size_t max_samples) {
  const auto kind = sound_kind(file);
  if (!kind)
    throw Error(ErrorCode::kUnsupported,
                source + ": is no sound that byteformer knows; expected WAV, FLAC, Ogg, AIFF, AU, CAF or MP3");
  const SoundFile sound{file, source, *kind, std::min(max_samples, kMaxSamples)};
  check_complete(sound);
  return sound.kind == "mp3" ? codec_table().decode_mp3(sound) : codec_table().decode_with_sndfile(sound);
}

void fit(Sound& sound, std::size_t num_samples) { sound.samples.resize(num_samples); }

}  // namespace byteformer::media
