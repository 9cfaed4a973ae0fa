// Loading the module of codecs, and the functions of this floor that are its work alone.
#include "media/codecs.hpp"

#include <dlfcn.h>

#include <filesystem>

#include "base/file_io.hpp"
#include "base/program.hpp"
#include "byteformer/error.hpp"
#include "media/image_encoders.hpp"
#include "media/places.hpp"
#include "media/sound.hpp"
#include "media/sound_encoders.hpp"

namespace byteformer::media {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(ErrorCode::kUnsupported,
              "cannot load what decodes and encodes pictures and sounds: " + reason +
                  "; install byteformer anew, or build it again, with its folder lib/byteformer");
}

const CodecTable& load() {
  const std::filesystem::path here = base::program_folder();
  if (here.empty()) refuse("the system does not tell where this program lies");
  const auto path = (here / BYTEFORMER_MODULES_FROM_PROGRAMS / "byteformer-codecs.so").lexically_normal();
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) refuse(dlerror());
  const auto door = reinterpret_cast<decltype(&byteformer_codecs)>(dlsym(module, "byteformer_codecs"));
  const CodecTable* table = door == nullptr ? nullptr : door(BYTEFORMER_VERSION);
  if (table == nullptr) refuse(base::printable(path) + " is not that of byteformer " + BYTEFORMER_VERSION);
  return *table;
}

}  // namespace

const CodecTable& codec_table() {
  static const CodecTable& table = load();
  return table;
}

FileBytes encode_jpeg(const Image& image, int quality) { return codec_table().encode_jpeg(image, quality); }

FileBytes encode_png(const Image& image) { return codec_table().encode_png(image); }

std::optional<PicturePlaces> jpeg_places(std::span<const std::uint8_t> file) { return codec_table().jpeg_places(file); }

Sound resampled(const Sound& sound, int sample_rate) { return codec_table().resampled(sound, sample_rate); }

FileBytes encode_mp3(const Sound& sound, std::optional<int> kbit_per_s) {
  return codec_table().encode_mp3(sound, kbit_per_s);
}

std::string lame_version() { return codec_table().lame_version(); }

}  // namespace byteformer::media
