// The module's door, and resampling by soxr, high quality.
#include "media/codecs/module.hpp"

#include <soxr.h>

#include <memory>
#include <string_view>

#include "byteformer/error.hpp"
#include "byteformer/export.hpp"

namespace byteformer::media {

extern "C" BYTEFORMER_EXPORT const Codecs* byteformer_codecs(const char* version) {
  static const ModuleCodecs codecs;
  return std::string_view(version) == BYTEFORMER_VERSION ? &codecs : nullptr;
}

std::size_t ModuleCodecs::resample(std::span<const float> samples, int from, int to, std::span<float> out) const {
  constexpr std::size_t kPieceSamples = 16384;  // soxr keeps a copy of all that it is given at once
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_error_t error = nullptr;
  const std::unique_ptr<soxr, Release<soxr_delete>> resampler(
      soxr_create(from, to, 1, &error, nullptr, &quality, nullptr));
  std::size_t num_written = 0;
  while (error == nullptr && num_written < out.size()) {
    const auto piece = samples.first(std::min(samples.size(), kPieceSamples));
    const auto left = out.subspan(num_written);
    std::size_t num_read = 0, num_more = 0;
    error = soxr_process(resampler.get(), piece.empty() ? nullptr : piece.data(), piece.size(), &num_read, left.data(),
                         left.size(), &num_more);  // without samples it hands out what it still holds
    if (num_read == 0 && num_more == 0) break;
    samples = samples.subspan(num_read);
    num_written += num_more;
  }
  if (error != nullptr)
    base::fail(ErrorCode::kInvalidArgument, "cannot resample a sound of ", from, " Hz to ", to, " Hz: ", error);
  return num_written;
}

}  // namespace byteformer::media
