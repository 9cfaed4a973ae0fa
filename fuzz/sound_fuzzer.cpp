// Sounds of every kind.
#include <cmath>

#include "fuzzing.hpp"
#include "media/sound.hpp"
#include "with_codecs.hpp"

using namespace byteformer;

// libsndfile 1.2 leaks what libvorbis allocated where the headers of an Ogg file are intact pages of nonsense.
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxSamples = std::size_t{1} << 20;  // time and memory for the search, not for long sounds
  return fuzz::survive([&] {
    const auto sound = media::decode_sound({data, size}, "x", kMaxSamples);
    fuzz::require(media::sound_kind({data, size}).has_value());
    fuzz::require(sound.sample_rate > 0 && !sound.samples.empty() && sound.samples.size() <= kMaxSamples);
    for (const float sample : sound.samples) fuzz::require(std::isfinite(sample));
  });
}
