// From any picture or sound to the file that a model expects.
#include <utility>

#include "format/text.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::prepare {

using format::fail;

media::FileBytes encode_image(const media::Image& image, const Encoding& encoding) {
  switch (encoding.format) {
    case FileFormat::kTiff: return media::encode_tiff(image);
    case FileFormat::kPng: return media::encode_png(image);
    case FileFormat::kJpeg: return media::encode_jpeg(image, encoding.quality);
    case FileFormat::kFhwc: return media::encode_fhwc(image);
    case FileFormat::kFchw: return media::encode_fchw(image);
    default: fail(ErrorCode::kInvalidArgument, "a picture cannot be encoded as ", to_string(encoding.format));
  }
}

media::FileBytes encode_sound(const media::Sound& sound, const Encoding& encoding) {
  switch (encoding.format) {
    case FileFormat::kWav: return media::encode_wav(sound, encoding.sample_format);
    case FileFormat::kMp3: return media::encode_mp3(sound);
    default: fail(ErrorCode::kInvalidArgument, "a sound cannot be encoded as ", to_string(encoding.format));
  }
}

media::FileBytes prepared(const media::Image& image, const ImagePreparation& preparation, const std::string& source) {
  if (!preparation.resize && !preparation.crop) return encode_image(image, preparation.encoding);
  media::Image prepared = preparation.resize ? media::with_shorter_side(image, *preparation.resize) : image;
  if (preparation.crop) prepared = media::center_cropped(prepared, *preparation.crop, source);
  return encode_image(prepared, preparation.encoding);
}

media::FileBytes prepared(const media::Sound& sound, const SoundPreparation& preparation) {
  const int sample_rate = preparation.sample_rate.value_or(sound.sample_rate);
  media::Sound prepared = sound.sample_rate == sample_rate ? sound : media::resampled(sound, sample_rate);
  if (preparation.duration_s) media::fit(prepared, media::num_samples(*preparation.duration_s, sample_rate));
  return encode_sound(prepared, preparation.encoding);
}

media::FileBytes prepare_file(std::span<const std::uint8_t> file, const Preprocess& preprocess,
                              const std::string& source) {
  if (preprocess.is_bytes()) return {file.begin(), file.end()};
  const auto image_kind = media::image_kind(file);
  const auto sound_kind = media::sound_kind(file);
  if (image_kind && preprocess.image) return prepared(media::decode_image(file, source), *preprocess.image, source);
  if (sound_kind && preprocess.sound) return prepared(media::decode_sound(file, source), *preprocess.sound);
  const std::string_view kind = image_kind ? *image_kind : sound_kind ? *sound_kind : "";
  fail(ErrorCode::kUnsupported, source,
       kind.empty() ? ": is no picture and no sound that we know" : ": is a file of kind ", kind,
       ", but the model expects ", describe(preprocess));
}

media::FileBytes transformed(media::FileBytes file, const Preprocess& preprocess, const std::string& source,
                             base::Random* random) {
  const bytes::Transforms& transforms = preprocess.transforms;
  if (transforms.empty()) return file;
  try {
    return random == nullptr ? bytes::transformed(transforms, std::move(file))
                             : bytes::transformed(transforms, std::move(file), *random);
  } catch (const Error& error) {
    fail(error.code(), source, ": ", error.what());
  }
}

PreparedFile prepare_if_needed(media::FileBytes file, const Preprocess& preprocess, const std::string& source) {
  if (preprocess.takes_files_as_they_are()) return {std::move(file), false};
  if (file.empty()) fail(ErrorCode::kEmptyFile, source, ": is empty, but the model expects ", describe(preprocess));
  const bool was_in_form = is_in_form(file, preprocess);
  if (!was_in_form) file = prepare_file(file, preprocess, source);
  return {transformed(std::move(file), preprocess, source), !was_in_form || !preprocess.transforms.leaves_bytes()};
}

}  // namespace byteformer::prepare
