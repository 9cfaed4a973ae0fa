// The `preprocess` object: its JSON and its words for people.
#include "data/preprocess.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/file_io.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

using format::description;
using format::fail;
using format::joined;
using format::Json;

constexpr int kVersion = 1;
constexpr int kMaxSide = 1 << 14;
constexpr int kMaxSampleRate = 1 << 20;
constexpr double kMaxSamples = 1 << 28;

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
      encoding.sample_format = encode::parse_sample_format(*sample_format);
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

void check_transforms(const Keys& keys) {
  const Json* transforms = keys.find("transforms");
  if (transforms == nullptr) return;
  if (!transforms->is_array()) keys.refuse("transforms", "an array");
  if (!transforms->empty())
    fail(ErrorCode::kUnsupported, keys.place(), ".transforms has ", transforms->size(),
         " transforms of bytes, which this build lacks");
}

std::string encoding_json(const Encoding& encoding) {
  std::string text = joined("{ \"format\": \"", to_string(encoding.format), '"');
  if (encoding.format == FileFormat::kJpeg) text += joined(", \"quality\": ", encoding.quality);
  if (encoding.format == FileFormat::kWav)
    text += joined(", \"sample_format\": \"", encode::to_string(encoding.sample_format), '"');
  return text + " }";
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
  if (encoding.format == FileFormat::kWav) text += joined(' ', encode::to_string(encoding.sample_format));
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
  check_transforms(keys);
  return preprocess;
}

Preprocess read_preprocess(const std::filesystem::path& model_dir) {
  return parse_preprocess(format::read_config(model_dir).preprocess,
                          base::printable(model_dir / "config.json") + ": preprocess");
}

std::string to_json(const Preprocess& preprocess) {
  if (preprocess.is_bytes()) return {};
  const auto& [image, sound] = preprocess;
  std::string text = joined("{\n    \"version\": ", kVersion, ",\n    \"kind\": \"", image ? "image" : "",
                            image && sound ? "+" : "", sound ? "audio" : "", '"');
  if (image) text += object_json("image", "resize", image->resize, "crop", image->crop);
  if (sound) text += object_json("audio", "sample_rate", sound->sample_rate, "duration_s", sound->duration_s);
  if (image) text += ",\n    \"encoding\": " + encoding_json(image->encoding);
  if (sound)
    text += joined(image ? ",\n    \"audio_encoding\": " : ",\n    \"encoding\": ", encoding_json(sound->encoding));
  return text + "\n  }";
}

std::string describe(const Preprocess& preprocess) {
  if (preprocess.is_bytes()) return "files as they are";
  if (!preprocess.sound) return describe(*preprocess.image);
  if (!preprocess.image) return describe(*preprocess.sound);
  return joined(describe(*preprocess.image), ", or ", describe(*preprocess.sound));
}

}  // namespace byteformer::data
