// Files that are damaged or encoded anew before a model is judged by them: the kinds that there are, by name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "bytes/damage.hpp"
#include "data/data_set.hpp"
#include "prepare/preprocess.hpp"

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

/// One kind of corruption, and what its levels may be.
struct CorruptionKind {
  std::string_view name;                                   ///< "bit-flips"
  std::string_view quantity;                               ///< what a level is: "share of bits that flip"
  double low, high;                                        ///< of levels
  bool is_whole;                                           ///< whether levels are whole numbers
  std::span<const double> usual_levels;                    ///< where nothing else is asked for, ascending
  std::variant<bytes::DamageKind, ReEncodingKind> method;  ///< how it is done

  bool is_re_encoding() const noexcept { return std::holds_alternative<ReEncodingKind>(method); }
};

/// All kinds, in the order in which they are listed for people.
std::span<const CorruptionKind> corruption_kinds() noexcept;

/// \returns a kind of corruption_kinds()
/// \throws Error kInvalidArgument naming the nearest, or all.
const CorruptionKind& find_corruption_kind(std::string_view name);

/// \throws Error kInvalidArgument saying which levels `kind` has.
void validate_level(const CorruptionKind& kind, double level);

/// \throws Error kInvalidArgument if files for this model are never of the kind that is encoded anew.
void check_applies(const CorruptionKind& kind, const prepare::Preprocess& preprocess);

/// What is done to each file.
struct Corruption {
  const CorruptionKind* kind;  ///< of corruption_kinds()
  double level;
  std::uint64_t seed = 0;     ///< of damage
  bool is_of_source = false;  ///< whether damage hits the file as it lies on disk; else what the model would read
};

/// load_prepared(), with corruption. Encoding anew comes before the preparation, damage after it and after all
/// transforms, unless it is one of the source.
/// \throws Error as load_prepared() and re_encoded(). Thread-safe.
prepare::PreparedFile load_corrupted(const Sample& sample, const prepare::Preprocess& preprocess,
                                     const Corruption& corruption);

}  // namespace byteformer::data
