// Resampling by soxr, high quality.
#include <soxr.h>

#include <cmath>
#include <string>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr int kMaxRatio = 256;  // soxr's filters grow with the ratio; 192 kHz to 8 kHz is 24

[[noreturn]] void refuse(const Sound& sound, int sample_rate, const std::string& reason) {
  throw Error(ErrorCode::kInvalidArgument, "cannot resample a sound of " + std::to_string(sound.sample_rate) +
                                               " Hz to " + std::to_string(sample_rate) + " Hz: " + reason);
}

}  // namespace

Sound resampled(const Sound& sound, int sample_rate) {
  if (sample_rate == sound.sample_rate) return sound;
  if (sample_rate < 1 || sound.sample_rate < 1) refuse(sound, sample_rate, "a rate must be positive");
  if (sample_rate / kMaxRatio > sound.sample_rate || sound.sample_rate / kMaxRatio > sample_rate)
    refuse(sound, sample_rate, "they differ by more than a factor of " + std::to_string(kMaxRatio));
  const double exact = static_cast<double>(sound.samples.size()) * sample_rate / sound.sample_rate;
  if (exact > static_cast<double>(kMaxSamples))
    refuse(sound, sample_rate, "it would have more than " + std::to_string(kMaxSamples) + " samples");

  Sound out{sample_rate, std::vector<float>(static_cast<std::size_t>(std::llround(exact)))};
  if (out.samples.empty()) return out;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  std::size_t num_written = 0;
  const soxr_error_t error =
      soxr_oneshot(sound.sample_rate, sample_rate, 1, sound.samples.data(), sound.samples.size(), nullptr,
                   out.samples.data(), out.samples.size(), &num_written, nullptr, &quality, nullptr);
  if (error != nullptr) refuse(sound, sample_rate, error);
  out.samples.resize(num_written);
  return out;
}

}  // namespace byteformer::media::codecs
