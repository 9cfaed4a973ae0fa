// The module's own side of its door: the codecs, each in the file of its format, and running C code that jumps.
#pragma once

#include <csetjmp>

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

/// Runs `step` and says whether it came to its end, rather than jumping to `jump`. Between the two there must be no
/// object with a destructor: `step` is a lambda that captures by reference and calls the C library.
template <typename Step>
bool completes(std::jmp_buf& jump, const Step& step) {
  if (setjmp(jump) != 0) return false;
  step();
  return true;
}

}  // namespace byteformer::media
