// What this floor leaves to other people's libraries. It lives in a module of its own, which is loaded when the first
// of it is needed: a process that only reads bytes starts without two dozen shared libraries, which would take it
// longer than the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "media/decoding.hpp"
#include "media/places.hpp"

namespace byteformer::media {

/// Thread-safe. Decoders throw Error kInvalidFormat with the reason for a damaged file, as decode_image() and
/// decode_sound() do; encoders are given what was checked.
class Codecs {
 public:
  virtual StoredImage decode_jpeg(const ImageFile& file) const = 0;
  virtual StoredImage decode_png(const ImageFile& file) const = 0;
  virtual StoredImage decode_tiff(const ImageFile& file) const = 0;
  virtual StoredImage decode_webp(const ImageFile& file) const = 0;
  virtual StoredImage decode_gif(const ImageFile& file) const = 0;
  virtual FileBytes encode_jpeg(const Image& image, int quality) const = 0;
  virtual FileBytes encode_png(const Image& image) const = 0;
  virtual std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file) const = 0;

  virtual Sound decode_mp3(const SoundFile& file) const = 0;
  virtual Sound decode_with_sndfile(const SoundFile& file) const = 0;
  virtual FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) const = 0;
  /// Fills `out` with `samples` of `from` Hz at `to` Hz. \return how many it wrote
  virtual std::size_t resample(std::span<const float> samples, int from, int to, std::span<float> out) const = 0;
  virtual std::string lame_version() const = 0;  ///< for example "3.100"

 protected:
  ~Codecs() = default;
};

/// Those of the module byteformer-codecs.so, which is loaded at the first call and stays. Thread-safe.
/// \throws Error kUnsupported saying where it was looked for, if it is not installed or of another version.
const Codecs& codecs();

/// The module's door. \return nullptr for another version than its own.
extern "C" const Codecs* byteformer_codecs(const char* version);

}  // namespace byteformer::media
