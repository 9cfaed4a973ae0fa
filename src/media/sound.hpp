// Sounds as mono float32 samples: decoding any common kind of file, resampling, cutting to length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::media {

/// One channel of samples, nominally in [-1, 1].
struct Sound {
  int sample_rate = 0;  ///< Hz
  std::vector<float> samples;

  bool operator==(const Sound&) const = default;
};

inline constexpr std::size_t kMaxSamples = std::size_t{1} << 28;

/// What the first bytes of a file say it is, for example "wav" or "mp3"; nothing if it is no sound that we know.
std::optional<std::string_view> sound_kind(std::span<const std::uint8_t> file) noexcept;

/// Decodes WAV, FLAC, Ogg (Vorbis, Opus), AIFF, AU, CAF and MP3; channels are averaged. `source` stands in messages.
/// A file that was cut short is damaged, except an MP3 between two frames, where nothing tells.
/// \throws Error kUnsupported for what is no sound that we know; kInvalidFormat with the reason for a damaged or empty
///         one, or one of more than `max_samples` a channel. Thread-safe.
Sound decode_sound(std::span<const std::uint8_t> file, const std::string& source,
                   std::size_t max_samples = kMaxSamples);

/// The same sound at `sample_rate` Hz, by soxr in its high quality (HQ).
/// \throws Error kInvalidArgument if soxr refuses the rates, they differ by more than a factor of 256, or the result
/// would
///         have more than kMaxSamples.
Sound resampled(const Sound& sound, int sample_rate);

/// Cut at the end, or extended by zeros, to `num_samples`.
void fit(Sound& sound, std::size_t num_samples);

}  // namespace byteformer::media
