// The module's own side of its door: the codecs, each in the file of its format, and what they share: files in memory,
// and running C code that jumps.
#pragma once

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "media/codecs.hpp"

namespace byteformer::media {

class ModuleCodecs final : public Codecs {
 public:
  StoredImage decode_jpeg(const ImageFile& file) const override;
  StoredImage decode_png(const ImageFile& file) const override;
  StoredImage decode_tiff(const ImageFile& file) const override;
  StoredImage decode_webp(const ImageFile& file) const override;
  StoredImage decode_gif(const ImageFile& file) const override;
  FileBytes encode_jpeg(const Image& image, int quality) const override;
  FileBytes encode_png(const Image& image) const override;
  std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file) const override;
  Sound decode_mp3(const SoundFile& file) const override;
  Sound decode_with_sndfile(const SoundFile& file) const override;
  FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) const override;
  std::size_t resample(std::span<const float> samples, int from, int to, std::span<float> out) const override;
  std::string lame_version() const override;
};

/// A file in memory, for libraries that read through callbacks.
struct MemoryFile {
  std::span<const std::uint8_t> bytes;
  std::uint64_t position = 0;

  /// Copies the next bytes, at most `num_bytes`. \return how many
  template <typename Count>
  Count read(void* out, Count num_bytes) noexcept {
    if (num_bytes <= 0 || position >= bytes.size()) return 0;
    const auto count = std::min(static_cast<std::uint64_t>(num_bytes), bytes.size() - position);
    std::memcpy(out, bytes.data() + position, count);
    position += count;
    return static_cast<Count>(count);
  }

  /// As fseek(3), within the file. \return the new position, or -1
  std::int64_t seek(std::int64_t offset, int whence) noexcept {
    const std::uint64_t base = whence == SEEK_CUR ? position : whence == SEEK_END ? bytes.size() : 0;
    std::int64_t target = 0;
    if (__builtin_add_overflow(static_cast<std::int64_t>(base), offset, &target) || target < 0 ||
        static_cast<std::uint64_t>(target) > bytes.size())
      return -1;
    position = static_cast<std::uint64_t>(target);
    return target;
  }
};

/// Gives back what a C library made: std::unique_ptr<T, Release<the_library_s_function>>.
template <auto kRelease>
struct Release {
  template <typename T>
  void operator()(T* made) const noexcept {
    kRelease(made);
  }
};

/// Runs `step` and says whether it came to its end, rather than jumping to `jump`. Between the two there must be no
/// object with a destructor: `step` is a lambda that captures by reference and calls the C library.
template <typename Step>
bool completes(std::jmp_buf& jump, const Step& step) {
  if (setjmp(jump) != 0) return false;
  step();
  return true;
}

}  // namespace byteformer::media
