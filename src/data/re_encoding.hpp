// Pictures and sounds that went through a lossy encoding on their way to the model.
#pragma once

#include <cstdint>
#include <string>

#include "media/image.hpp"

namespace byteformer::data {

/// What happens, and what the level says. Levels are whole numbers.
enum class ReEncodingKind {
  kJpegQuality,  ///< a picture of any kind becomes a JPEG of this quality, 1 to 100
  kMp3Bitrate,   ///< a sound becomes an MP3 of so many kbit/s at its own rate, and comes back without MP3's delay
  kSampleRate,   ///< a sound is resampled to so many Hz
};

/// The file after it: a JPEG, or a WAV of float32 samples. A picture where sounds are re-encoded, and a sound where
/// pictures are, stays as it is.
/// \param source stands in messages
/// \throws Error kUnsupported for what is neither a picture nor a sound; as decoders and encoders. Thread-safe.
media::FileBytes re_encoded(media::FileBytes file, ReEncodingKind kind, int level, const std::string& source);

}  // namespace byteformer::data
