// MP3 by LAME with its defaults (but for the bit rate, where one is given), one channel, no Xing frame and no tags.
#include <lame/lame.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs.hpp"
#include "media/published_samples.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::size_t kPieceSamples = 65536;
constexpr std::size_t kBufferBytes = kPieceSamples * 5 / 4 + 7200;  // LAME's own bound
constexpr float kFullScale = 32768.0f;

void print_nothing(const char*, va_list) {}

struct Close {
  void operator()(lame_t lame) const noexcept { lame_close(lame); }
};
using LameHandle = std::unique_ptr<lame_global_flags, Close>;

LameHandle start(int sample_rate, std::optional<int> kbit_per_s) {
  static std::mutex mutex;  // LAME fills tables that all its encoders share
  const std::lock_guard lock(mutex);
  LameHandle lame(lame_init());
  if (lame == nullptr) throw std::bad_alloc();
  lame_set_errorf(lame.get(), print_nothing);
  lame_set_debugf(lame.get(), print_nothing);
  lame_set_msgf(lame.get(), print_nothing);
  lame_set_num_channels(lame.get(), 1);
  lame_set_in_samplerate(lame.get(), sample_rate);
  lame_set_bWriteVbrTag(lame.get(), 0);
  if (kbit_per_s) lame_set_brate(lame.get(), *kbit_per_s);
  // Without the second test LAME would choose another rate.
  if (sample_rate < 1 || lame_set_out_samplerate(lame.get(), sample_rate) < 0 || lame_init_params(lame.get()) < 0)
    throw Error(ErrorCode::kInvalidArgument,
                "cannot encode as MP3 at " + std::to_string(sample_rate) +
                    " Hz: LAME takes 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 and 48000; resample first");
  if (kbit_per_s && lame_get_brate(lame.get()) != *kbit_per_s)  // LAME took the nearest that there is
    throw Error(ErrorCode::kInvalidArgument, "MP3 of " + std::to_string(sample_rate) + " Hz cannot have " +
                                                 std::to_string(*kbit_per_s) + " kbit/s; the nearest is " +
                                                 std::to_string(lame_get_brate(lame.get())));
  return lame;
}

void append(FileBytes& out, const FileBytes& buffer, int num_bytes) {
  if (num_bytes < 0) throw Error(ErrorCode::kInternal, "LAME failed with error " + std::to_string(num_bytes));
  out.insert(out.end(), buffer.begin(), buffer.begin() + num_bytes);
}

}  // namespace

FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) {
  const LameHandle lame = start(sound.sample_rate, kbit_per_s);
  FileBytes out;
  FileBytes buffer(kBufferBytes);
  std::vector<float> piece;
  for (std::size_t begin = 0; begin < sound.samples.size(); begin += kPieceSamples) {
    const auto samples = std::span(sound.samples).subspan(begin, std::min(kPieceSamples, sound.samples.size() - begin));
    piece.clear();
    for (const float x : samples) piece.push_back(published_float(x) * kFullScale);
    append(out, buffer,
           lame_encode_buffer_float(lame.get(), piece.data(), piece.data(), static_cast<int>(piece.size()),
                                    buffer.data(), static_cast<int>(buffer.size())));
  }
  append(out, buffer, lame_encode_flush(lame.get(), buffer.data(), static_cast<int>(buffer.size())));
  return out;
}

std::string lame_version() { return get_lame_short_version(); }

}  // namespace byteformer::media::codecs
