// Decoding sounds by libsndfile from memory, block by block.
#include <sndfile.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "byteformer/error.hpp"
#include "media/codecs/module.hpp"

namespace byteformer::media {
namespace {

constexpr std::size_t kBlockSamples = 16384;

struct PatchedFile : MemoryFile {
  std::span<const Patch> patches;
};

PatchedFile& of(void* user_data) { return *static_cast<PatchedFile*>(user_data); }
sf_count_t size(void* user_data) { return static_cast<sf_count_t>(of(user_data).bytes.size()); }
sf_count_t tell(void* user_data) { return static_cast<sf_count_t>(of(user_data).position); }
sf_count_t seek(sf_count_t offset, int whence, void* user_data) { return of(user_data).seek(offset, whence); }
sf_count_t write_nothing(const void*, sf_count_t, void*) { return 0; }

sf_count_t read_bytes(void* out, sf_count_t num_bytes, void* user_data) {
  const sf_count_t begin = tell(user_data), count = of(user_data).read(out, num_bytes);
  for (const Patch& patch : of(user_data).patches)
    for (std::size_t i = 0; i < patch.bytes.size(); ++i) {
      const sf_count_t at = static_cast<sf_count_t>(patch.offset + i) - begin;
      if (at >= 0 && at < count) static_cast<std::uint8_t*>(out)[at] = patch.bytes[i];
    }
  return count;
}

using SoundHandle = std::unique_ptr<SNDFILE, Release<sf_close>>;

/// A part of the file, opened.
class Stream {
 public:
  Stream(const SoundFile& file, std::span<const std::uint8_t> bytes)
      : file_(file), memory_{{bytes}, file.parts.size() == 1 ? std::span(file.patches) : std::span<const Patch>{}} {
    SF_VIRTUAL_IO io{size, seek, read_bytes, write_nothing, tell};
    sound_.reset(sf_open_virtual(&io, SFM_READ, &info_, &memory_));
    if (sound_ == nullptr && sf_error(nullptr) == SF_ERR_UNSUPPORTED_ENCODING)
      throw Error(ErrorCode::kUnsupported, file.source + ": its coding inside " + std::string(file.kind) +
                                               " is none that libsndfile reads; convert it to WAV or FLAC, for "
                                               "example by ffmpeg");
    if (sound_ == nullptr) {
      const std::string_view reason = sf_strerror(nullptr);
      const bool is_of_inside = reason.find("Internal error") != std::string_view::npos;  // means us, not the file
      throw_damaged(file, is_of_inside ? "its header contradicts itself" : reason);
    }
    if (info_.channels < 1 || info_.samplerate < 1) throw_damaged(file, "it has no channels or no sample rate");
  }

  int sample_rate() const noexcept { return info_.samplerate; }
  std::size_t num_channels() const noexcept { return static_cast<std::size_t>(info_.channels); }

  /// Samples per channel; nothing where only decoding tells.
  std::optional<std::uint64_t> num_frames() const noexcept {
    if (info_.frames < 0 || info_.frames == SF_COUNT_MAX) return std::nullopt;
    return static_cast<std::uint64_t>(info_.frames);
  }

  void decode(MonoSamples& mono) {
    const std::size_t block_frames = std::max<std::size_t>(kBlockSamples / num_channels(), 1);
    std::vector<float> block(block_frames * num_channels());
    // Behind the last frame there may be tags, in which a decoder would look for more.
    std::uint64_t num_left = num_frames().value_or(UINT64_MAX);
    while (num_left > 0) {
      const sf_count_t num_read = sf_readf_float(
          sound_.get(), block.data(), static_cast<sf_count_t>(std::min<std::uint64_t>(block_frames, num_left)));
      if (sf_error(sound_.get()) != SF_ERR_NO_ERROR) throw_damaged(file_, sf_strerror(sound_.get()));
      if (num_read <= 0) break;
      mono.append(std::span(block).first(static_cast<std::size_t>(num_read) * num_channels()), num_channels());
      num_left -= static_cast<std::uint64_t>(num_read);
    }
    // Of the formats whose bytes do not tell whether they are all there, only FLAC tells its length exactly.
    if (file_.kind == "flac sound" && num_frames() && num_left > 0)
      throw_damaged(file_, "it ends too early: ", *num_frames() - num_left, " samples of ", *num_frames());
  }

 private:
  const SoundFile& file_;
  PatchedFile memory_;
  SF_INFO info_{};
  SoundHandle sound_;
};

}  // namespace

Sound ModuleCodecs::decode_with_sndfile(const SoundFile& file) const {
  std::optional<MonoSamples> mono;
  int sample_rate = 0;
  for (const auto bytes : file.parts) {
    Stream part(file, bytes);
    if (!mono) {
      sample_rate = part.sample_rate();
      mono.emplace(file, part.num_frames().value_or(0));
    }
    if (part.sample_rate() != sample_rate) throw_damaged(file, "its sample rate changes on the way");
    part.decode(*mono);
  }
  return mono->take(sample_rate);
}

}  // namespace byteformer::media
