// The published encodings of sounds, byte for byte. \see spec of data, section 1
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "media/image_encoders.hpp"
#include "media/sound.hpp"

namespace byteformer::media {

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

/// Version of the LAME that is linked, for example "3.100".
std::string lame_version();

}  // namespace byteformer::media
