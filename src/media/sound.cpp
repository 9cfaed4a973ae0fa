// Recognizing a sound by its first bytes, decoding it with the decoder of its format, resampling and cutting it.
#include "media/sound.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/bytes_io.hpp"
#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/decoding.hpp"

namespace byteformer::media {
namespace {

struct Format {
  std::string_view kind;
  std::string_view start;
  std::string_view form;  // at byte 8
  void (*check)(const SoundFile&);
};

constexpr std::array<Format, 9> kFormats{{{"wav", "RIFF", "WAVE", check_wav},
                                          {"wav", "RIFX", "WAVE", check_wav},
                                          {"wav", "RF64", "WAVE", check_wav},
                                          {"flac", "fLaC", "", [](const SoundFile&) {}},
                                          {"ogg", "OggS", "", check_ogg},
                                          {"aiff", "FORM", "AIFF", check_aiff},
                                          {"aiff", "FORM", "AIFC", check_aiff},
                                          {"au", ".snd", "", check_au},
                                          {"caf", "caff", "", check_caf}}};
constexpr Format kMp3{"mp3", "", "", check_mp3};

const Format* format_of(std::span<const std::uint8_t> file) noexcept {
  for (const Format& format : kFormats)
    if (base::has_tag(file, 0, format.start) && base::has_tag(file, format.form.empty() ? 0 : 8, format.form))
      return &format;
  return is_mp3(file) ? &kMp3 : nullptr;
}

constexpr int kMaxRatio = 256;  // soxr's filters grow with the ratio; 192 kHz to 8 kHz is 24

[[noreturn]] void refuse(const Sound& sound, int sample_rate, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, "cannot resample a sound of " + std::to_string(sound.sample_rate) +
                                               " Hz to " + std::to_string(sample_rate) + " Hz: " + reason);
}

}  // namespace

std::optional<std::string_view> sound_kind(std::span<const std::uint8_t> file) noexcept {
  const Format* format = format_of(file);
  if (format == nullptr) return std::nullopt;
  return format->kind;
}

Sound decode_sound(std::span<const std::uint8_t> file, const std::string& source, std::size_t max_samples) {
  const Format* format = format_of(file);
  if (format == nullptr)
    throw Error(ErrorCode::kUnsupported,
                source + ": is no sound that byteformer knows; expected WAV, FLAC, Ogg, AIFF, AU, CAF or MP3");
  SoundFile sound{file, source, format->kind, std::min(max_samples, kMaxSamples), decoding_budget()};
  format->check(sound);
  if (format != &kMp3) return codecs().decode_with_sndfile(sound);
  sound.num_expected = mp3_samples(file);
  return codecs().decode_mp3(sound);
}

Sound resampled(const Sound& sound, int sample_rate) {
  if (sample_rate == sound.sample_rate) return sound;
  if (sample_rate < 1 || sound.sample_rate < 1) refuse(sound, sample_rate, "a rate must be positive");
  if (sample_rate / kMaxRatio > sound.sample_rate || sound.sample_rate / kMaxRatio > sample_rate)
    refuse(sound, sample_rate, "they differ by more than a factor of " + std::to_string(kMaxRatio));
  const double exact = static_cast<double>(sound.samples.size()) * sample_rate / sound.sample_rate;
  if (exact > static_cast<double>(kMaxSamples))
    refuse(sound, sample_rate, "it would have more than " + std::to_string(kMaxSamples) + " samples");
  Sound out{sample_rate, std::vector<float>(static_cast<std::size_t>(std::llround(exact)))};
  if (!out.samples.empty())
    out.samples.resize(codecs().resample(sound.samples, sound.sample_rate, sample_rate, out.samples));
  return out;
}

void fit(Sound& sound, std::size_t num_samples) { sound.samples.resize(num_samples); }

std::size_t num_samples(double duration_s, int sample_rate) noexcept {
  return static_cast<std::size_t>(std::llround(duration_s * sample_rate));
}

}  // namespace byteformer::media
