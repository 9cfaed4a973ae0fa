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

struct SoundFormat {
  std::string_view kind;
  std::string_view start;
  std::string_view form;  // at byte 8
  void (*look)(SoundFile&);
};

constexpr std::array<SoundFormat, 12> kSoundFormats{{{"wav", "RIFF", "WAVE", look_at_wav},
                                                     {"wav", "RIFX", "WAVE", look_at_wav},
                                                     {"wav", "RF64", "WAVE", look_at_wav},
                                                     {"wav", "BW64", "WAVE", look_at_wav},
                                                     {"w64", "riff\x2E\x91\xCF\x11", "", look_at_w64},
                                                     {"flac", "fLaC", "", look_at_flac},
                                                     {"ogg", "OggS", "", look_at_ogg},
                                                     {"aiff", "FORM", "AIFF", look_at_aiff},
                                                     {"aiff", "FORM", "AIFC", look_at_aiff},
                                                     {"au", ".snd", "", look_at_au},
                                                     {"au", "dns.", "", look_at_au},  // little-endian
                                                     {"caf", "caff", "", look_at_caf}}};
constexpr SoundFormat kMp3{"mp3", "", "", look_at_mp3};

using Bytes = std::span<const std::uint8_t>;

/// The format that begins at byte 0.
const SoundFormat* sound_format_of(Bytes file) noexcept {
  for (const SoundFormat& format : kSoundFormats)
    if (base::has_tag(file, 0, format.start) && base::has_tag(file, format.form.empty() ? 0 : 8, format.form))
      return &format;
  return is_mp3(file) ? &kMp3 : nullptr;
}

/// The bytes of the tag that begins at `at`; zero where none does.
std::uint64_t tag_bytes(Bytes file, std::uint64_t at) noexcept {
  constexpr std::uint64_t kId3v1Bytes = 128, kEnhancedBytes = 227, kApeHeaderBytes = 32;
  if (base::has_tag(file, at, "ID3") && base::has_bytes(file, at, 10)) {
    std::uint64_t num_bytes = 0;
    for (std::uint64_t i = at + 6; i < at + 10; ++i) num_bytes = num_bytes << 7 | (file[i] & 0x7F);
    return num_bytes + ((file[at + 5] & 0x10) != 0 ? 20 : 10);  // with a footer or without
  }
  if (base::has_tag(file, at, "APETAGEX") && base::has_bytes(file, at, kApeHeaderBytes))
    return kApeHeaderBytes + base::little_endian(file, at + 12, 4);
  if (base::has_tag(file, at, "TAG+")) return kEnhancedBytes;
  if (base::has_tag(file, at, "TAG")) return kId3v1Bytes;
  if (base::has_tag(file, at, "LYRICSBEGIN")) {
    const std::size_t end = base::as_text(file).find("LYRICS", static_cast<std::size_t>(at) + 11);
    if (base::has_tag(file, end, "LYRICS200") || base::has_tag(file, end, "LYRICSEND")) return end + 9 - at;
  }
  return 0;
}

constexpr int kMaxRatio = 256;  // soxr's filters grow with the ratio; 192 kHz to 8 kHz is 24

[[noreturn]] void refuse(const Sound& sound, int sample_rate, const std::string& reason) {
  base::fail(ErrorCode::kInvalidArgument, "cannot resample a sound of ", sound.sample_rate, " Hz to ", sample_rate,
             " Hz: ", reason);
}

}  // namespace

std::uint64_t behind_tags(Bytes file, std::uint64_t at) noexcept {
  while (at < file.size()) {
    const std::uint64_t num_bytes = file[at] == 0 ? 1 : tag_bytes(file, at);
    if (num_bytes == 0) return at;
    at += num_bytes;
  }
  return file.size();
}

void refuse_another(const SoundFile& file, std::uint64_t end) {
  const std::uint64_t at = behind_tags(file.bytes, end);
  if (at < file.bytes.size() && sound_format_of(file.bytes.subspan(at)) != nullptr)
    throw_damaged(file, "another sound begins at byte ", at, "; split the file there");
}

std::optional<std::string_view> sound_kind(Bytes file) noexcept {
  const std::uint64_t begin = behind_tags(file, 0);
  // The start of a file may end inside a tag. So far only MP3 has them before it.
  if (begin == file.size() && base::has_tag(file, 0, "ID3")) return kMp3.kind;
  const SoundFormat* format = sound_format_of(file.subspan(begin));
  return format == nullptr ? std::nullopt : std::optional(format->kind);
}

Sound decode_sound(Bytes file, const std::string& source, std::size_t max_samples) {
  const std::uint64_t begin = behind_tags(file, 0);
  const SoundFormat* format = sound_format_of(file.subspan(begin));
  if (format == nullptr && begin == file.size() && base::has_tag(file, 0, "ID3"))
    base::fail_format(source, "damaged mp3 sound: it ends too early: nothing is behind its tag");
  if (format == nullptr) {
    const std::string other = other_kind(file);
    const bool has_tags = other.empty() && begin > 0 && begin < file.size();
    base::fail(ErrorCode::kUnsupported, base::About{source},
               has_tags ? base::joined("behind its tags, at byte ", begin, ", ") : "",
               "is no sound that byteformer knows", other, "; expected WAV, FLAC, Ogg, AIFF, AU, CAF or MP3");
  }
  const std::string kind = base::joined(format->kind, " sound");
  SoundFile sound{{file.subspan(begin), source, kind, decoding_budget()}, std::min(max_samples, kMaxSamples)};
  format->look(sound);
  if (sound.parts.empty()) sound.parts.push_back(sound.bytes);
  return format == &kMp3 ? codecs().decode_mp3(sound) : codecs().decode_with_sndfile(sound);
}

MemoryBudget::Share memory_to_encode(const Sound& sound) {
  if (sound.samples.empty()) base::fail(ErrorCode::kInvalidArgument, "cannot encode a sound that has no samples");
  return memory_for(sound.samples.size() * sizeof(float));  // more than an MP3 takes
}

Sound resampled(const Sound& sound, int sample_rate) {
  if (sample_rate == sound.sample_rate) return sound;
  if (sample_rate < 1 || sound.sample_rate < 1) refuse(sound, sample_rate, "a rate must be positive");
  if (sample_rate / kMaxRatio > sound.sample_rate || sound.sample_rate / kMaxRatio > sample_rate)
    refuse(sound, sample_rate, "they differ by more than a factor of " + std::to_string(kMaxRatio));
  const double exact = static_cast<double>(sound.samples.size()) * sample_rate / sound.sample_rate;
  if (exact > static_cast<double>(kMaxSamples))
    refuse(sound, sample_rate, "it would have more than " + std::to_string(kMaxSamples) + " samples");
  Sound out{sample_rate, {}};
  if (sound.samples.empty()) return out;
  const auto num_samples = static_cast<std::size_t>(std::max(std::llround(exact), 1LL));
  out.memory = memory_for(num_samples * sizeof(float));
  out.samples.resize(num_samples);
  out.samples.resize(codecs().resample(sound.samples, sound.sample_rate, sample_rate, out.samples));
  if (out.samples.empty()) out.samples = {sound.samples.front()};  // too short for soxr's filters
  return out;
}

void fit(Sound& sound, std::size_t num_samples) { sound.samples.resize(num_samples); }

std::size_t num_samples(double duration_s, int sample_rate) noexcept {
  return static_cast<std::size_t>(std::llround(duration_s * sample_rate));
}

}  // namespace byteformer::media
