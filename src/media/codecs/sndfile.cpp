// Decoding sounds by libsndfile from memory, block by block.
#include <sndfile.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kBlockSamples = 16384;

struct MemoryFile {
  std::span<const std::uint8_t> bytes;
  sf_count_t position = 0;
};

sf_count_t size(void* user_data) { return static_cast<sf_count_t>(static_cast<MemoryFile*>(user_data)->bytes.size()); }
sf_count_t tell(void* user_data) { return static_cast<MemoryFile*>(user_data)->position; }
sf_count_t write_nothing(const void*, sf_count_t, void*) { return 0; }

sf_count_t seek(sf_count_t offset, int whence, void* user_data) {
  auto* file = static_cast<MemoryFile*>(user_data);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = file->position;
  if (whence == SEEK_END) base = size(user_data);
  sf_count_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0 || target > size(user_data)) return -1;
  return file->position = target;
}

sf_count_t read_bytes(void* out, sf_count_t num_bytes, void* user_data) {
  auto* file = static_cast<MemoryFile*>(user_data);
  const sf_count_t count =
      std::clamp<sf_count_t>(size(user_data) - file->position, 0, std::max<sf_count_t>(num_bytes, 0));
  if (count > 0) std::memcpy(out, file->bytes.data() + file->position, static_cast<std::size_t>(count));
  file->position += count;
  return count;
}

struct Close {
  void operator()(SNDFILE* sound) const noexcept { sf_close(sound); }
};
using SoundHandle = std::unique_ptr<SNDFILE, Close>;

}  // namespace

Sound ModuleCodecs::decode_with_sndfile(const SoundFile& file) const {
  SF_VIRTUAL_IO io{size, seek, read_bytes, write_nothing, tell};
  MemoryFile memory{file.bytes};
  SF_INFO info{};
  const SoundHandle sound(sf_open_virtual(&io, SFM_READ, &info, &memory));
  if (sound == nullptr) throw_damaged(file, sf_strerror(nullptr));
  if (info.channels < 1 || info.samplerate < 1) throw_damaged(file, "it has no channels or no sample rate");
  const auto num_channels = static_cast<std::size_t>(info.channels);
  const std::size_t block_frames = std::max<std::size_t>(kBlockSamples / num_channels, 1);
  std::vector<float> block(block_frames * num_channels);
  MonoSamples mono(file, num_channels, static_cast<std::uint64_t>(std::max<sf_count_t>(info.frames, 0)));
  for (;;) {
    const sf_count_t num_frames = sf_readf_float(sound.get(), block.data(), static_cast<sf_count_t>(block_frames));
    if (sf_error(sound.get()) != SF_ERR_NO_ERROR) throw_damaged(file, sf_strerror(sound.get()));
    if (num_frames <= 0) break;
    mono.append(std::span(block).first(static_cast<std::size_t>(num_frames) * num_channels));
  }
  // Of the formats whose bytes do not tell whether they are all there, only FLAC tells its length exactly.
  if (file.kind == "flac" && info.frames != SF_COUNT_MAX && static_cast<sf_count_t>(mono.size()) < info.frames)
    throw_damaged(file,
                  "it ends too early: " + std::to_string(mono.size()) + " samples of " + std::to_string(info.frames));
  return mono.take(info.samplerate);
}

}  // namespace byteformer::media
