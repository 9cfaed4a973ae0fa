// What the headers of WAV and MP3 files say, read without trust and without decoding.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "data/preprocess.hpp"

namespace byteformer::data {

struct WavHeader {
  int format_tag = 0;  ///< 1: integers, 3: float; of an extensible header, that of its GUID
  int num_channels = 0;
  int sample_rate = 0;
  int bits_per_sample = 0;
  std::uint64_t data_offset = 0;     ///< of the first sample
  std::uint64_t num_data_bytes = 0;  ///< as the header says, whatever the file holds

  std::uint64_t num_frames() const noexcept;  ///< samples a channel
};

/// Nothing if `file` does not begin with the whole header of a WAV file.
std::optional<WavHeader> parse_wav_header(std::span<const std::uint8_t> file) noexcept;

/// Samples of `duration_s` at `sample_rate`, rounded.
std::size_t num_samples(double duration_s, int sample_rate) noexcept;

/// Whether `file` is a sound as `preparation` makes it: format, one channel, rate, length, and nothing besides.
bool is_in_form(std::span<const std::uint8_t> file, const SoundPreparation& preparation) noexcept;

}  // namespace byteformer::data
