// Sounds as mono float32 samples: decoding any common kind of file, resampling, cutting to length, and the published
// encodings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/image.hpp"

namespace byteformer::media {

/// One channel of samples, nominally in [-1, 1].
struct Sound {
  int sample_rate = 0;  ///< Hz
  std::vector<float> samples;
  MemoryBudget::Share memory = {};  ///< of a sound that was decoded

  bool operator==(const Sound&) const = default;
};

inline constexpr std::size_t kMaxSamples = std::size_t{1} << 28;

/// What the first bytes of a file say it is, for example "wav" or "mp3"; nothing if it is no sound that we know.
std::optional<std::string_view> sound_kind(std::span<const std::uint8_t> file) noexcept;

/// Decodes WAV (RF64, BW64 and W64, too), FLAC, Ogg (Vorbis, Opus), AIFF, AU, CAF and MP3; channels are averaged.
/// `source` stands in messages. Tags (ID3, APE, Lyrics3) and zeros around a sound are skipped. A length that its writer
/// did not know means up to the end; otherwise a file that was cut short is damaged, except an MP3 between two frames,
/// where nothing tells. Ogg streams and MP3 files that were joined are read as one; others are refused. Waits while
/// other threads' decoding leaves too little of kMaxDecodingBytes.
/// \throws Error kUnsupported for what is no sound that we know; kInvalidFormat with the reason for a damaged or empty
///         one, or one of more than `max_samples` per channel. Thread-safe.
Sound decode_sound(std::span<const std::uint8_t> file, const std::string& source,
                   std::size_t max_samples = kMaxSamples);

/// The same sound at `sample_rate` Hz, by soxr in its high quality (HQ); at least one sample of any that has one.
/// \throws Error kInvalidArgument if soxr refuses the rates, they differ by more than a factor of 256, or the result
///         would have more than kMaxSamples.
Sound resampled(const Sound& sound, int sample_rate);

/// Cut at the end, or extended by zeros, to `num_samples`.
void fit(Sound& sound, std::size_t num_samples);

/// Samples of `duration_s` at `sample_rate`, rounded.
std::size_t num_samples(double duration_s, int sample_rate) noexcept;

// The published encodings, byte for byte. \see docs/model-format.md, "preprocess"
// All throw Error kInvalidArgument for a sound without samples.

enum class SampleFormat { kFloat32, kInt32, kInt16, kUint8 };

std::string_view to_string(SampleFormat format) noexcept;  ///< "float32", "int32", "int16", "uint8"

/// \throws Error kInvalidArgument naming the four that exist.
SampleFormat parse_sample_format(std::string_view name);

/// Mono WAV with the published headers. Samples beyond [-1, 1] saturate.
FileBytes encode_wav(const Sound& sound, SampleFormat format);

/// Mono MP3 by LAME with its defaults and no Xing frame: byte for byte as LAME 3.100 writes it.
/// \param kbit_per_s constant; nothing: LAME's choice for the rate, which is the published encoding
/// \throws Error kInvalidArgument if LAME refuses the sample rate, or has no such bit rate for it.
FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s = std::nullopt);

/// By how many samples a sound comes late out of encode_mp3() and decode_sound(): the encoder's 576 and the decoder's
/// 529.
inline constexpr std::size_t kMp3DelaySamples = 1105;

}  // namespace byteformer::media
