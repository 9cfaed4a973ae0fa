// What this floor leaves to other people's libraries. The functions live in a module of their own, which is loaded when
// the first of them is needed: a process that only reads bytes starts without two dozen shared libraries, which would
// take it longer than the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "media/image_encoders.hpp"
#include "media/image_file.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"
#include "media/sound_file.hpp"

namespace byteformer::media {

/// Only in the module; from outside they are reached by codec_table(). Those that stand in a header of this floor too
/// do what is said there.
namespace codecs {

StoredImage decode_jpeg(const ImageFile& file);
StoredImage decode_png(const ImageFile& file);
StoredImage decode_tiff(const ImageFile& file);
StoredImage decode_webp(const ImageFile& file);
StoredImage decode_gif(const ImageFile& file);
FileBytes encode_jpeg(const Image& image, int quality);
FileBytes encode_png(const Image& image);
std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file);
Sound decode_mp3(const SoundFile& file);
Sound decode_with_sndfile(const SoundFile& file);
FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s);
Sound resampled(const Sound& sound, int sample_rate);
std::string lame_version();

}  // namespace codecs

struct CodecTable {
  decltype(&codecs::decode_jpeg) decode_jpeg;
  decltype(&codecs::decode_png) decode_png;
  decltype(&codecs::decode_tiff) decode_tiff;
  decltype(&codecs::decode_webp) decode_webp;
  decltype(&codecs::decode_gif) decode_gif;
  decltype(&codecs::encode_jpeg) encode_jpeg;
  decltype(&codecs::encode_png) encode_png;
  decltype(&codecs::jpeg_places) jpeg_places;
  decltype(&codecs::decode_mp3) decode_mp3;
  decltype(&codecs::decode_with_sndfile) decode_with_sndfile;
  decltype(&codecs::encode_mp3) encode_mp3;
  decltype(&codecs::resampled) resampled;
  decltype(&codecs::lame_version) lame_version;
};

/// The functions of the module byteformer-codecs.so, which is loaded at the first call and stays. Thread-safe.
/// \throws Error kUnsupported saying where it was looked for, if it is not installed or of another version.
const CodecTable& codec_table();

/// The module's door. \return nullptr for another version than its own.
extern "C" const CodecTable* byteformer_codecs(const char* version);

}  // namespace byteformer::media
