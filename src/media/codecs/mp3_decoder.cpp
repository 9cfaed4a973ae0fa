// Decoding MP3 by libmpg123 from memory. (libsndfile can, by the same library, but lets it print to stderr.)
#include <mpg123.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "media/codecs.hpp"

namespace byteformer::media::codecs {
namespace {

constexpr std::size_t kBlockSamples = 16384;
constexpr long kResyncBytes = 1024;

struct MemoryFile {
  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
};

ssize_t read_bytes(void* handle, void* out, std::size_t num_bytes) {
  auto* file = static_cast<MemoryFile*>(handle);
  const std::size_t count = std::min(num_bytes, file->bytes.size() - file->position);
  if (count > 0) std::memcpy(out, file->bytes.data() + file->position, count);
  file->position += count;
  return static_cast<ssize_t>(count);
}

off_t seek(void* handle, off_t offset, int whence) {
  auto* file = static_cast<MemoryFile*>(handle);
  off_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<off_t>(file->position);
  if (whence == SEEK_END) base = static_cast<off_t>(file->bytes.size());
  off_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > static_cast<off_t>(file->bytes.size()))
    return -1;
  file->position = static_cast<std::size_t>(target);
  return target;
}

struct Delete {
  void operator()(mpg123_handle* decoder) const noexcept { mpg123_delete(decoder); }
};
using Decoder = std::unique_ptr<mpg123_handle, Delete>;

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

}  // namespace

Sound decode_mp3(const SoundFile& file) {
  MemoryFile memory{file.bytes, 0};
  const Decoder decoder = open(file, memory);
  long rate = 0;
  int channels = 0, encoding = 0;
  if (mpg123_getformat(decoder.get(), &rate, &channels, &encoding) != MPG123_OK)
    throw_damaged(file, mpg123_strerror(decoder.get()));
  if (channels < 1 || rate < 1 || encoding != MPG123_ENC_FLOAT_32)
    throw_damaged(file, "it has no channels or no sample rate");

  MonoSamples mono(file, static_cast<std::size_t>(channels));
  std::vector<float> block(kBlockSamples);
  int status = MPG123_OK;
  while (status == MPG123_OK) {
    std::size_t num_bytes = 0;
    status = mpg123_read(decoder.get(), block.data(), block.size() * sizeof(float), &num_bytes);
    mono.append(std::span(block).first(num_bytes / sizeof(float)));
  }
  if (status == MPG123_NEW_FORMAT) throw_damaged(file, "its sample rate or its number of channels changes on the way");
  if (status != MPG123_DONE) throw_damaged(file, mpg123_strerror(decoder.get()));
  return {static_cast<int>(rate), mono.take()};
}

}  // namespace byteformer::media::codecs
