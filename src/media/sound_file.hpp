// The inside of decode_sound(): what its decoders share, and finding files that were cut short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/sound.hpp"

namespace byteformer::media {

struct SoundFile {
  std::span<const std::uint8_t> bytes;
  const std::string& source;
  std::string_view kind;
  std::size_t max_samples;
};

/// \throws Error kInvalidFormat: "SOURCE: damaged KIND sound: REASON".
[[noreturn]] void throw_damaged(const SoundFile& file, std::string_view reason);

/// libsndfile takes a file that was cut short for a short sound; this does not.
/// \throws Error kInvalidFormat where the file ends before its own numbers say.
void check_complete(const SoundFile& file);

/// Gathers the means over the channels of what a decoder hands out.
class MonoSamples {
 public:
  MonoSamples(const SoundFile& file, std::size_t num_channels) : file_(file), num_channels_(num_channels) {}

  /// \param block whole frames, channels interleaved
  /// \throws Error kInvalidFormat for more than `max_samples`, and for what is not a finite number.
  void append(std::span<const float> block);

  std::size_t size() const noexcept { return mono_.size(); }

  /// \throws Error kInvalidFormat where there is none.
  std::vector<float> take();

 private:
  const SoundFile& file_;
  std::size_t num_channels_;
  std::vector<float> mono_;
};

}  // namespace byteformer::media
