// The module's door, and resampling by soxr, high quality.
#include "media/codecs/module.hpp"

#include <soxr.h>

#include <string_view>

#include "byteformer/error.hpp"
#include "byteformer/export.hpp"

namespace byteformer::media {

extern "C" BYTEFORMER_EXPORT const Codecs* byteformer_codecs(const char* version) {
  static const ModuleCodecs codecs;
  return std::string_view(version) == BYTEFORMER_VERSION ? &codecs : nullptr;
}

std::size_t ModuleCodecs::resample(std::span<const float> samples, int from, int to, std::span<float> out) const {
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  std::size_t num_written = 0;
  const soxr_error_t error = soxr_oneshot(from, to, 1, samples.data(), samples.size(), nullptr, out.data(), out.size(),
                                          &num_written, nullptr, &quality, nullptr);
  if (error != nullptr)
    base::fail(ErrorCode::kInvalidArgument, "cannot resample a sound of ", from, " Hz to ", to, " Hz: ", error);
  return num_written;
}

}  // namespace byteformer::media
