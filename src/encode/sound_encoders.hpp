// The published encodings of sounds, byte for byte. \see spec of data, section 1
#pragma once

#include <string>
#include <string_view>

#include "encode/image_encoders.hpp"
#include "encode/sound.hpp"

namespace byteformer::encode {

enum class SampleFormat { kFloat32, kInt32, kInt16, kUint8 };

std::string_view to_string(SampleFormat format) noexcept;  ///< "float32", "int32", "int16", "uint8"

/// \throws Error kInvalidArgument naming the four that exist.
SampleFormat parse_sample_format(std::string_view name);

/// Mono WAV with the published headers. Samples beyond [-1, 1] saturate.
FileBytes encode_wav(const Sound& sound, SampleFormat format);

/// Mono MP3 by LAME with its defaults and no Xing frame: byte for byte as LAME 3.100 writes it.
/// \throws Error kInvalidArgument if LAME refuses the sample rate.
FileBytes encode_mp3(const Sound& sound);

/// Version of the LAME that is linked, for example "3.100".
std::string lame_version();

}  // namespace byteformer::encode
