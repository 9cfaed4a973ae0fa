// MP3: reading by libmpg123 from memory (libsndfile can, by the same library, but lets it print to stderr); writing by
// LAME with its defaults (but for the bit rate, where one is given), one channel, no Xing frame and no tags.
#include <lame/lame.h>
#include <mpg123.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

// Reading.

constexpr std::size_t kBlockSamples = 16384;
constexpr long kResyncBytes = 65536;

ssize_t read_bytes(void* handle, void* out, std::size_t num_bytes) {
  return static_cast<ssize_t>(static_cast<MemoryFile*>(handle)->read(out, num_bytes));
}

off_t seek(void* handle, off_t offset, int whence) { return static_cast<MemoryFile*>(handle)->seek(offset, whence); }

using Decoder = std::unique_ptr<mpg123_handle, Release<mpg123_delete>>;

Decoder open(const SoundFile& file, MemoryFile& memory) {
  static std::once_flag once;  // older versions fill shared tables here
  std::call_once(once, [] { mpg123_init(); });
  Decoder decoder(mpg123_new(nullptr, nullptr));
  if (decoder == nullptr) throw std::bad_alloc();
  mpg123_param(decoder.get(), MPG123_ADD_FLAGS, MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2,
               0);
  mpg123_param(decoder.get(), MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0);
  mpg123_param(decoder.get(), MPG123_RESYNC_LIMIT, kResyncBytes, 0);
  if (mpg123_replace_reader_handle(decoder.get(), read_bytes, seek, nullptr) != MPG123_OK ||
      mpg123_open_handle(decoder.get(), &memory) != MPG123_OK)
    throw_damaged(file, mpg123_strerror(decoder.get()));
  return decoder;
}

// Writing.

constexpr std::size_t kPieceSamples = 65536;
constexpr std::size_t kBufferBytes = kPieceSamples * 5 / 4 + 7200;  // LAME's own bound
constexpr float kFullScale = 32768.0f;

void print_nothing(const char*, va_list) {}

using LameHandle = std::unique_ptr<lame_global_flags, Release<lame_close>>;

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
    base::fail(ErrorCode::kInvalidArgument, "cannot encode as MP3 at ", sample_rate,
               " Hz: LAME takes 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 and 48000; resample first");
  if (kbit_per_s && lame_get_brate(lame.get()) != *kbit_per_s)  // LAME took the nearest that there is
    base::fail(ErrorCode::kInvalidArgument, "MP3 of ", sample_rate, " Hz cannot have ", *kbit_per_s,
               " kbit/s; the nearest is ", lame_get_brate(lame.get()));
  return lame;
}

void append(FileBytes& out, const FileBytes& buffer, int num_bytes) {
  if (num_bytes < 0) base::fail(ErrorCode::kInternal, "LAME failed with error ", num_bytes);
  out.insert(out.end(), buffer.begin(), buffer.begin() + num_bytes);
}

}  // namespace

Sound ModuleCodecs::decode_mp3(const SoundFile& file) const {
  MonoSamples mono(file, file.num_expected);
  long first_rate = 0;
  for (const auto part : file.parts) {
    MemoryFile memory{part, 0};
    const Decoder decoder = open(file, memory);
    long rate = 0;
    int channels = 0, encoding = 0;
    if (mpg123_getformat(decoder.get(), &rate, &channels, &encoding) != MPG123_OK)
      throw_damaged(file, mpg123_strerror(decoder.get()));
    if (channels < 1 || rate < 1 || encoding != MPG123_ENC_FLOAT_32)
      throw_damaged(file, "it has no channels or no sample rate");
    if (first_rate == 0) first_rate = rate;

    std::vector<float> block(kBlockSamples);
    int status = rate == first_rate ? MPG123_OK : MPG123_NEW_FORMAT;
    while (status == MPG123_OK) {
      std::size_t num_bytes = 0;
      status = mpg123_read(decoder.get(), block.data(), block.size() * sizeof(float), &num_bytes);
      mono.append(std::span(block).first(num_bytes / sizeof(float)), static_cast<std::size_t>(channels));
    }
    if (status == MPG123_NEW_FORMAT)
      throw_damaged(file, "its sample rate or its number of channels changes on the way");
    if (status != MPG123_DONE) throw_damaged(file, mpg123_strerror(decoder.get()));
  }
  return mono.take(static_cast<int>(first_rate));
}

FileBytes ModuleCodecs::encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) const {
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

std::string ModuleCodecs::lame_version() const { return get_lame_short_version(); }

}  // namespace byteformer::media
