// The `preprocess` object: its JSON and its words for people.
#include "prepare/preprocess.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/file_io.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "format/text.hpp"

namespace byteformer::prepare {
namespace {

using format::description;
using format::fail;
using format::joined;
using format::Json;

constexpr int kVersion = 1;
constexpr int kMaxSide = 1 << 14;
constexpr int kMaxSampleRate = 1 << 20;
constexpr double kMaxSamples = 1 << 28;
constexpr std::size_t kMaxTransforms = 16;
constexpr std::size_t kFingerprintDigits = 12;  // of 64: as many as a person compares

struct FormatName {
  FileFormat format;
  std::string_view name;
  std::string_view extension;
  std::string_view title;
};
constexpr std::array<FormatName, 7> kFormats = {{{FileFormat::kTiff, "tiff", ".tiff", "TIFF"},
                                                 {FileFormat::kPng, "png", ".png", "PNG"},
                                                 {FileFormat::kJpeg, "jpeg", ".jpg", "JPEG"},
                                                 {FileFormat::kFhwc, "fhwc", ".fhwc", "raw RGB bytes (fHWC)"},
                                                 {FileFormat::kFchw, "fchw", ".fchw", "raw RGB planes (fCHW)"},
                                                 {FileFormat::kWav, "wav", ".wav", "WAV"},
                                                 {FileFormat::kMp3, "mp3", ".mp3", "MP3"}}};

const FormatName& name_of(FileFormat format) noexcept { return kFormats[static_cast<std::size_t>(format)]; }

/// Typed keys of one JSON object; `place` is its name in messages: "config.json: preprocess.image".
class Keys {
 public:
  Keys(const Json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object())
      fail(ErrorCode::kInvalidFormat, place_, ": is ", description(object), ", expected an object");
  }

  const std::string& place() const { return place_; }

  const Json* find(std::string_view key) const {
    const auto entry = object_.find(key);
    return entry == object_.end() ? nullptr : &*entry;
  }

  std::optional<Keys> object(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    return Keys(*value, joined(place_, ".", key));
  }

  std::optional<std::string> string(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) refuse(key, "a string");
    return value->get<std::string>();
  }

  std::optional<int> integer(std::string_view key, int low, int high) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer() || *value < low || *value > high)
      refuse(key, joined("an integer from ", low, " to ", high));
    return value->get<int>();
  }

  std::optional<double> positive(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number() || !(value->get<double>() > 0)) refuse(key, "a positive number");
    return value->get<double>();
  }

  std::optional<std::uint64_t> seed(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_unsigned()) refuse(key, "a whole number, 0 or more");
    return value->get<std::uint64_t>();
  }

  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const {
    const Json* found = find(key);
    fail(ErrorCode::kInvalidFormat, place_, ".", key, found == nullptr ? " is missing" : " is ",
         found == nullptr ? std::string() : description(*found), ", expected ", expected);
  }

 private:
  const Json& object_;
  std::string place_;
};

Encoding read_encoding(const Keys& keys, std::string_view key, bool of_image) {
  const auto object = keys.object(key);
  if (!object) keys.refuse(key, "an object with the format");
  const auto name = object->string("format").value_or("");
  const auto known = std::ranges::find(kFormats, name, &FormatName::name);
  if (known == kFormats.end() || is_image(known->format) != of_image)
    object->refuse("format", of_image ? "\"tiff\", \"png\", \"jpeg\", \"fhwc\" or \"fchw\"" : "\"wav\" or \"mp3\"");
  Encoding encoding{.format = known->format};
  if (encoding.format == FileFormat::kJpeg) encoding.quality = object->integer("quality", 1, 100).value_or(100);
  if (encoding.format != FileFormat::kWav) return encoding;
  if (const auto sample_format = object->string("sample_format")) try {
      encoding.sample_format = media::parse_sample_format(*sample_format);
    } catch (const Error&) {
      object->refuse("sample_format", "\"float32\", \"int32\", \"int16\" or \"uint8\"");
    }
  return encoding;
}

ImagePreparation read_image(const Keys& keys) {
  ImagePreparation image;
  image.encoding = read_encoding(keys, "encoding", true);
  const auto object = keys.object("image");
  if (!object) return image;
  image.resize = object->integer("resize", 1, kMaxSide);
  image.crop = object->integer("crop", 1, kMaxSide);
  if (image.resize && image.crop && *image.crop > *image.resize)
    object->refuse("crop", joined("at most the ", *image.resize, " of resize"));
  return image;
}

SoundPreparation read_sound(const Keys& keys, std::string_view encoding_key) {
  SoundPreparation sound;
  sound.encoding = read_encoding(keys, encoding_key, false);
  const auto object = keys.object("audio");
  if (!object) return sound;
  sound.sample_rate = object->integer("sample_rate", 1, kMaxSampleRate);
  sound.duration_s = object->positive("duration_s");
  const double num_samples = sound.duration_s.value_or(0) * sound.sample_rate.value_or(kMaxSampleRate);
  if (sound.duration_s && !(num_samples >= 0.5 && num_samples <= kMaxSamples))
    object->refuse("duration_s", joined("a time of at least one sample, and of ", kMaxSamples, " at most"));
  return sound;
}

void check_version(const Keys& keys) {
  const Json* version = keys.find("version");
  if (version == nullptr) return;
  if (!version->is_number_integer() || *version < 1) keys.refuse("version", joined(kVersion));
  if (*version > kVersion)
    fail(ErrorCode::kUnsupported, keys.place(), ".version is ", version->dump(), ", this build reads ", kVersion);
}

void read_pieces(const Keys& keys, bytes::Transforms& transforms) {
  const auto bytes_from = [&](std::string_view place) {
    return static_cast<std::uint32_t>(keys.integer(place, 0, bytes::Pieces::kMaxBytes).value_or(0));
  };
  transforms.pieces = {bytes_from("start"), bytes_from("middle"), bytes_from("end")};
}

void read_shuffle(const Keys& keys, bytes::Transforms& transforms) {
  bytes::Shuffle shuffle;
  try {
    shuffle.mode = bytes::parse_shuffle_mode(keys.string("mode").value_or(""));
  } catch (const Error&) {
    keys.refuse("mode", R"("reverse", "cyclic_half_length", "stride", "window_shuffle" or "random_shuffle")");
  }
  if (bytes::has_size(shuffle.mode))
    if (const auto n = keys.integer("n", 1, bytes::Shuffle::kMaxSize)) shuffle.n = static_cast<std::uint32_t>(*n);
  transforms.shuffle = shuffle;
}

void read_mask(const Keys& keys, bytes::Transforms& transforms) {
  const auto keep_frac = keys.positive("keep_frac");
  if (!keep_frac) keys.refuse("keep_frac", "a number above 0, at most 1");
  transforms.mask = {*keep_frac, keys.seed("seed").value_or(base::kPublishedSeed)};
}

void read_noise(const Keys& keys, bytes::Transforms& transforms) {
  const auto bound = [&](std::string_view key) {
    const auto value = keys.integer(key, -bytes::UniformNoise::kMaxWidth, bytes::UniformNoise::kMaxWidth);
    if (!value) keys.refuse(key, "the smallest and the largest number to add, as low and high");
    return *value;
  };
  transforms.noise = {bound("low"), bound("high")};
}

void read_permutation(const Keys& keys, bytes::Transforms& transforms) {
  const auto seed = keys.seed("seed");
  const auto fingerprint = keys.string("fingerprint");
  if (seed.has_value() == fingerprint.has_value())
    fail(ErrorCode::kInvalidFormat, keys.place(), ": expected either seed or, of a secret key, fingerprint");
  transforms.permutations.push_back(seed ? bytes::BytePermutation::of_seed(*seed)
                                         : bytes::BytePermutation::of_fingerprint(*fingerprint));
}

struct TransformType {
  std::string_view name;
  void (*read)(const Keys&, bytes::Transforms&);
};
/// In the order in which they are applied; only the last may stand more than once.
constexpr std::array<TransformType, 5> kTransformTypes = {{{"pieces", read_pieces},
                                                           {"shuffle", read_shuffle},
                                                           {"mask_positions", read_mask},
                                                           {"random_uniform", read_noise},
                                                           {"byte_permutation", read_permutation}}};

/// \param place the list's name in messages
bytes::Transforms read_transforms(const Json& list, const std::string& place) {
  if (!list.is_array() || list.size() > kMaxTransforms)
    fail(ErrorCode::kInvalidFormat, place, " is ", description(list), ", expected an array of at most ",
         kMaxTransforms);
  bytes::Transforms transforms;
  std::size_t first_allowed = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Keys object(list[i], joined(place, '[', i, ']'));
    const auto name = object.string("type").value_or("");
    const auto type = std::ranges::find(kTransformTypes, name, &TransformType::name);
    const auto number = static_cast<std::size_t>(type - kTransformTypes.begin());
    if (type == kTransformTypes.end() || number < first_allowed)
      object.refuse("type",
                    R"("pieces", "shuffle", "mask_positions", "random_uniform" or "byte_permutation", in this order)");
    first_allowed = std::min(number + 1, kTransformTypes.size() - 1);
    try {
      type->read(object, transforms);
      bytes::validate(transforms);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidArgument) throw;
      fail(ErrorCode::kInvalidFormat, object.place(), ": ", error.what());
    }
  }
  return transforms;
}

std::string encoding_json(const Encoding& encoding) {
  std::string text = joined("{ \"format\": \"", to_string(encoding.format), '"');
  if (encoding.format == FileFormat::kJpeg) text += joined(", \"quality\": ", encoding.quality);
  if (encoding.format == FileFormat::kWav)
    text += joined(", \"sample_format\": \"", media::to_string(encoding.sample_format), '"');
  return text + " }";
}

/// \param separator between objects, after their comma
std::string transforms_text(const bytes::Transforms& transforms, std::string_view separator) {
  const auto& [pieces, shuffle, mask, noise, permutations] = transforms;
  std::vector<std::string> objects;
  if (pieces)
    objects.push_back(joined(R"("pieces", "start": )", pieces->start, R"(, "middle": )", pieces->middle, R"(, "end": )",
                             pieces->end));
  if (shuffle)
    objects.push_back(joined(R"("shuffle", "mode": ")", bytes::to_string(shuffle->mode), '"',
                             bytes::has_size(shuffle->mode) ? joined(R"(, "n": )", shuffle->n) : ""));
  if (mask)
    objects.push_back(joined(R"("mask_positions", "keep_frac": )", mask->keep_frac, R"(, "seed": )", mask->seed));
  if (noise) objects.push_back(joined(R"("random_uniform", "low": )", noise->low, R"(, "high": )", noise->high));
  for (const bytes::BytePermutation& permutation : permutations)
    objects.push_back(R"("byte_permutation", )" +
                      (permutation.seed() ? joined(R"("seed": )", *permutation.seed())
                                          : joined(R"("fingerprint": ")", permutation.fingerprint(), '"')));
  std::string text;
  for (const std::string& object : objects)
    text += joined(text.empty() ? "[ " : joined(',', separator), R"({ "type": )", object, " }");
  return text.empty() ? "[]" : text + " ]";
}

/// An object of those of two keys that have a value; nothing if neither has.
template <typename A, typename B>
std::string object_json(std::string_view key, std::string_view first, const A& a, std::string_view second, const B& b) {
  if (!a && !b) return {};
  std::string text = joined(",\n    \"", key, "\": {");
  if (a) text += joined(" \"", first, "\": ", *a);
  if (b) text += joined(a ? ", \"" : " \"", second, "\": ", *b);
  return text + " }";
}

std::string describe(const Encoding& encoding) {
  std::string text(name_of(encoding.format).title);
  if (encoding.format == FileFormat::kJpeg) text += joined(" (quality ", encoding.quality, ')');
  if (encoding.format == FileFormat::kWav) text += joined(' ', media::to_string(encoding.sample_format));
  return text;
}

std::string describe(const ImagePreparation& image) {
  if (image.crop) return joined(describe(image.encoding), " of ", *image.crop, 'x', *image.crop, " pixels");
  if (image.resize) return joined(describe(image.encoding), " of ", *image.resize, " pixels on the shorter side");
  return describe(image.encoding);
}

std::string describe(const SoundPreparation& sound) {
  std::string text = describe(sound.encoding);
  if (sound.duration_s) text += joined(" of ", *sound.duration_s, " s");
  if (sound.sample_rate) text += joined(" at ", *sound.sample_rate, " Hz");
  return text;
}

std::string describe(const bytes::Shuffle& shuffle) {
  switch (shuffle.mode) {
    case bytes::ShuffleMode::kReverse: return "bytes reversed";
    case bytes::ShuffleMode::kCyclicHalfLength: return "halves exchanged";
    case bytes::ShuffleMode::kStride: return joined("every ", shuffle.n, "th byte in turn");
    case bytes::ShuffleMode::kWindowShuffle: return joined("bytes shuffled within windows of ", shuffle.n);
    case bytes::ShuffleMode::kRandomShuffle: return "bytes in random order";
  }
  return {};
}

std::string describe(const bytes::BytePermutation& permutation) {
  if (permutation.seed()) return joined("values permuted by seed ", *permutation.seed());
  return joined("values permuted by the secret key ", permutation.fingerprint().substr(0, kFingerprintDigits));
}

std::string describe_encoding(const Preprocess& preprocess) {
  if (preprocess.is_bytes()) return "files";
  if (!preprocess.sound) return describe(*preprocess.image);
  if (!preprocess.image) return describe(*preprocess.sound);
  return joined(describe(*preprocess.image), ", or ", describe(*preprocess.sound));
}

}  // namespace

std::string_view to_string(FileFormat format) noexcept { return name_of(format).name; }
std::string_view extension(FileFormat format) noexcept { return name_of(format).extension; }
bool is_image(FileFormat format) noexcept { return format != FileFormat::kWav && format != FileFormat::kMp3; }

FileFormat parse_file_format(std::string_view name) {
  for (const FormatName& known : kFormats)
    if (known.name == name) return known.format;
  fail(ErrorCode::kInvalidArgument, "the file format is \"", format::excerpt(name),
       "\", expected tiff, png, jpeg, fhwc, fchw, wav or mp3");
}

Preprocess parse_preprocess(std::string_view json, const std::string& source) {
  if (json.empty()) return {};
  const Json root = format::parse_json(json, source);
  const Keys keys(root, source);
  check_version(keys);
  const auto kind = keys.string("kind");
  Preprocess preprocess;
  if (kind == "image" || kind == "image+audio")
    preprocess.image = read_image(keys);
  else if (kind != "audio" && kind != "bytes")
    keys.refuse("kind", "\"bytes\", \"image\", \"audio\" or \"image+audio\"");
  if (kind == "audio") preprocess.sound = read_sound(keys, "encoding");
  if (kind == "image+audio") preprocess.sound = read_sound(keys, "audio_encoding");
  if (const Json* list = keys.find("transforms"))
    preprocess.transforms = read_transforms(*list, keys.place() + ".transforms");
  return preprocess;
}

bytes::Transforms parse_transforms(std::string_view json, const std::string& source) {
  return read_transforms(format::parse_json(json, source), source);
}

Preprocess read_preprocess(const std::filesystem::path& model_dir) {
  return parse_preprocess(format::read_config(model_dir).preprocess,
                          base::printable(model_dir / "config.json") + ": preprocess");
}

std::string to_json(const Preprocess& preprocess) {
  if (preprocess.takes_files_as_they_are()) return {};
  const auto& [image, sound, transforms] = preprocess;
  const char* kind = image && sound ? "image+audio" : image ? "image" : sound ? "audio" : "bytes";
  std::string text = joined("{\n    \"version\": ", kVersion, ",\n    \"kind\": \"", kind, '"');
  if (image) text += object_json("image", "resize", image->resize, "crop", image->crop);
  if (sound) text += object_json("audio", "sample_rate", sound->sample_rate, "duration_s", sound->duration_s);
  if (image) text += ",\n    \"encoding\": " + encoding_json(image->encoding);
  if (sound)
    text += joined(image ? ",\n    \"audio_encoding\": " : ",\n    \"encoding\": ", encoding_json(sound->encoding));
  if (!transforms.empty()) text += ",\n    \"transforms\": " + transforms_text(transforms, "\n                    ");
  return text + "\n  }";
}

std::string transforms_json(const bytes::Transforms& transforms) { return transforms_text(transforms, " "); }

std::string describe(const bytes::Transforms& transforms) {
  const auto& [pieces, shuffle, mask, noise, permutations] = transforms;
  std::vector<std::string> parts;
  if (pieces)
    parts.push_back(
        joined("the first ", pieces->start, " bytes, ", pieces->middle, " in the middle and the last ", pieces->end));
  if (shuffle) parts.push_back(describe(*shuffle));
  if (mask) parts.push_back(joined(mask->keep_frac, " of the positions"));
  if (noise) parts.push_back(joined("noise from ", noise->low, " to ", noise->high));
  for (const bytes::BytePermutation& permutation : permutations) parts.push_back(describe(permutation));
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string describe(const Preprocess& preprocess) {
  if (preprocess.takes_files_as_they_are()) return "files as they are";
  if (preprocess.transforms.empty()) return describe_encoding(preprocess);
  return describe_encoding(preprocess) + " with " + describe(preprocess.transforms);
}

}  // namespace byteformer::prepare
