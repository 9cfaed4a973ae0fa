// What the decoders of sounds share.
#include "media/sound_file.hpp"

#include <cmath>
#include <utility>

#include "byteformer/error.hpp"

namespace byteformer::media {

void throw_damaged(const SoundFile& file, std::string_view reason) {
  throw Error(ErrorCode::kInvalidFormat,
              file.source + ": damaged " + std::string(file.kind) + " sound: " + std::string(reason));
}

void MonoSamples::append(std::span<const float> block) {
  if (block.size() / num_channels_ > file_.max_samples - mono_.size())
    throw Error(ErrorCode::kInvalidFormat,
                file_.source + ": the sound has more than " + std::to_string(file_.max_samples) + " samples");
  for (std::size_t i = 0; i + num_channels_ <= block.size(); i += num_channels_) {
    double sum = 0;
    for (std::size_t c = 0; c < num_channels_; ++c) sum += block[i + c];
    if (!std::isfinite(sum)) throw_damaged(file_, "sample " + std::to_string(mono_.size()) + " is not a finite number");
    mono_.push_back(static_cast<float>(sum / static_cast<double>(num_channels_)));
  }
}

std::vector<float> MonoSamples::take() {
  if (mono_.empty()) throw_damaged(file_, "it has no samples");
  return std::move(mono_);
}

}  // namespace byteformer::media
