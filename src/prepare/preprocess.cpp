// The `preprocess` object: its keys, by one list of which it is read, checked and written.
#include "prepare/preprocess.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file_io.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"

namespace byteformer::prepare {
namespace {

using base::fail;
using base::joined;
using format::description;
using format::Json;
using format::JsonKeys;
using format::JsonPlace;

constexpr int kVersion = 1;
constexpr int kMaxSide = 1 << 14;
constexpr int kMaxSampleRate = 1 << 20;
constexpr double kMaxSamples = 1 << 28;
constexpr std::size_t kMaxTransforms = 16;

/// `"a", "b" or "c"`
std::string quoted(std::vector<std::string> names) {
  for (std::string& name : names) name = joined('"', name, '"');
  return base::list(names, ", ", " or ");
}

// The keys: name, member, and what a value may be.

struct Whole {
  int low, high;
  std::string_view needed = {};  ///< what the key means, where it must be there
};
struct Positive {
  std::string_view needed = {};
};
struct Seed {};  ///< 0 or more
/// The name of one of these and those between them.
template <typename Enum>
struct OneOf {
  Enum first, last;
  bool is_needed = true;
};
template <typename Enum>
OneOf(Enum, Enum, bool = true) -> OneOf<Enum>;  // clang 14 does not deduce it

/// A `T`, or a T that is only read.
template <typename U, typename T>
concept Is = std::same_as<std::remove_const_t<U>, T>;

void for_each_key(Is<ImagePreparation> auto& image, const auto& visit) {
  visit("resize", image.resize, Whole{1, kMaxSide});
  visit("crop", image.crop, Whole{1, kMaxSide});
}

void for_each_key(Is<SoundPreparation> auto& sound, const auto& visit) {
  visit("sample_rate", sound.sample_rate, Whole{1, kMaxSampleRate});
  visit("duration_s", sound.duration_s, Positive());
}

void for_each_key(Is<Encoding> auto& encoding, const auto& visit) {
  using enum FileFormat;
  visit("format", encoding.format, is_image(encoding.format) ? OneOf{kTiff, kFchw} : OneOf{kWav, kMp3});
  if (encoding.format == kJpeg) visit("quality", encoding.quality, Whole{1, 100});
  if (encoding.format == kWav)
    visit("sample_format", encoding.sample_format,
          OneOf{media::SampleFormat::kFloat32, media::SampleFormat::kUint8, false});
}

void for_each_key(Is<bytes::Pieces> auto& pieces, const auto& visit) {
  visit("start", pieces.start, Whole{0, bytes::Pieces::kMaxBytes});
  visit("middle", pieces.middle, Whole{0, bytes::Pieces::kMaxBytes});
  visit("end", pieces.end, Whole{0, bytes::Pieces::kMaxBytes});
}

void for_each_key(Is<bytes::Shuffle> auto& shuffle, const auto& visit) {
  visit("mode", shuffle.mode, OneOf{bytes::ShuffleMode::kReverse, bytes::ShuffleMode::kRandomShuffle});
  if (bytes::has_size(shuffle.mode)) visit("n", shuffle.n, Whole{1, bytes::Shuffle::kMaxSize});
}

void for_each_key(Is<bytes::PositionMask> auto& mask, const auto& visit) {
  visit("keep_frac", mask.keep_frac, Positive{"a number above 0, at most 1"});
  visit("seed", mask.seed, Seed());
}

void for_each_key(Is<bytes::UniformNoise> auto& noise, const auto& visit) {
  const Whole bounds{-bytes::UniformNoise::kMaxWidth, bytes::UniformNoise::kMaxWidth,
                     "the smallest and the largest number to add, as low and high"};
  visit("low", noise.low, bounds);
  visit("high", noise.high, bounds);
}

/// The types of transforms, in the order in which they are applied; only the last may stand more than once.
void for_each_type(Is<bytes::Transforms> auto& transforms, const auto& visit) {
  visit("pieces", transforms.pieces);
  visit("shuffle", transforms.shuffle);
  visit("mask_positions", transforms.mask);
  visit("random_uniform", transforms.noise);
  visit("byte_permutation", transforms.permutations);
}

// Reading: what is absent stays as it is, unless it has to be there.

/// Null where it is absent. \param needed  what it means, where it must be there
const Json* find(const JsonKeys& keys, std::string_view key, std::string_view needed = {}) {
  const Json* value = keys.find(key);
  if (value == nullptr && !needed.empty()) keys.refuse(key, needed);
  return value;
}

void read(const JsonKeys& keys, std::string_view key, auto& out, const Whole& bounds) {
  const Json* value = find(keys, key, bounds.needed);
  if (value == nullptr) return;
  if (!value->is_number_integer() || *value < bounds.low || *value > bounds.high)
    keys.refuse(key, joined("an integer from ", bounds.low, " to ", bounds.high));
  out = value->get<int>();
}

void read(const JsonKeys& keys, std::string_view key, auto& out, const Positive& bounds) {
  const Json* value = find(keys, key, bounds.needed);
  if (value == nullptr) return;
  if (!value->is_number() || !(value->get<double>() > 0)) keys.refuse(key, "a positive number");
  out = value->get<double>();
}

void read(const JsonKeys& keys, std::string_view key, auto& out, Seed) {
  const Json* value = keys.find(key);
  if (value == nullptr) return;
  if (!value->is_number_unsigned()) keys.refuse(key, "a whole number, 0 or more");
  out = value->get<std::uint64_t>();
}

template <typename Enum>
void read(const JsonKeys& keys, std::string_view key, Enum& out, const OneOf<Enum>& bounds) {
  std::vector<Enum> known;
  for (int i = static_cast<int>(bounds.first); i <= static_cast<int>(bounds.last); ++i)
    known.push_back(static_cast<Enum>(i));
  const auto value = keys.named(key, std::span<const Enum>(known));
  if (!value && bounds.is_needed) keys.refuse(key, format::names_of(std::span<const Enum>(known)));
  out = value.value_or(out);
}

/// Reads all keys of `out`.
template <typename T>
T read_all(const JsonKeys& keys, T out = {}) {
  for_each_key(out, [&keys](std::string_view key, auto& value, const auto& bounds) { read(keys, key, value, bounds); });
  return out;
}

void check(const JsonKeys& keys, const ImagePreparation& image) {
  if (image.resize && image.crop && *image.crop > *image.resize)
    keys.refuse("crop", joined("at most the ", *image.resize, " of resize"));
}

void check(const JsonKeys& keys, const SoundPreparation& sound) {
  const double num_samples = sound.duration_s.value_or(0) * sound.sample_rate.value_or(kMaxSampleRate);
  if (sound.duration_s && !(num_samples >= 0.5 && num_samples <= kMaxSamples))
    keys.refuse("duration_s", joined("a time of at least one sample, and of ", kMaxSamples, " at most"));
}

template <typename Preparation>
Preparation read_preparation(const JsonKeys& keys, std::string_view name, std::string_view encoding_name) {
  Preparation out;
  find(keys, encoding_name, "an object with the format");
  out.encoding = read_all(*keys.object(encoding_name), out.encoding);
  if (const auto object = keys.object(name)) check(*object, out = read_all(*object, out));
  return out;
}

void check_version(const JsonKeys& keys) {
  const Json* version = keys.find("version");
  if (version == nullptr) return;
  if (!version->is_number_integer() || *version < 1) keys.refuse("version", joined(kVersion));
  if (*version > kVersion)
    fail(ErrorCode::kUnsupported, keys.name(), ".version is ", version->dump(), ", this build reads ", kVersion);
}

template <typename T>
void read_transform(const JsonKeys& keys, std::optional<T>& out) {
  out = read_all(keys, T());
}

void read_transform(const JsonKeys& keys, std::vector<bytes::BytePermutation>& out) {
  std::optional<std::uint64_t> seed;
  read(keys, "seed", seed, Seed());
  const auto fingerprint = keys.string("fingerprint");
  if (seed.has_value() == fingerprint.has_value())
    base::fail_format(keys.name(), "expected either seed or, of a secret key, fingerprint");
  out.push_back(seed ? bytes::BytePermutation::of_seed(*seed) : bytes::BytePermutation::of_fingerprint(*fingerprint));
}

/// What describes a transform that was read.
std::vector<std::string> keys_of(const std::vector<bytes::BytePermutation>&) { return {"seed", "fingerprint"}; }

template <typename T>
std::vector<std::string> keys_of(const std::optional<T>& transform) {
  std::vector<std::string> keys;
  for_each_key(*transform, [&](std::string_view key, const auto&, const auto&) { keys.emplace_back(key); });
  return keys;
}

/// A key that nobody reads would leave the transform another one than was meant.
void refuse_unknown_keys(const Json& object, const JsonKeys& keys, std::vector<std::string> known) {
  known.emplace_back("type");
  for (const auto& [key, value] : object.items())
    if (std::ranges::find(known, key) == known.end())
      base::fail_format(keys.name(), "has the unknown key \"", base::excerpt(key), '"',
                        base::did_you_mean(key, known, "; expected " + base::list(known, ", ")));
}

/// \param place the list's name in messages
bytes::Transforms read_transforms(const Json& list, const std::string& place) {
  if (!list.is_array() || list.size() > kMaxTransforms)
    fail(ErrorCode::kInvalidFormat, place, " is ", description(list), ", expected an array of at most ",
         kMaxTransforms);
  bytes::Transforms transforms;
  std::vector<std::string> types;
  for_each_type(transforms, [&](std::string_view type, const auto&) { types.emplace_back(type); });
  std::size_t first_allowed = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonKeys object(list[i], joined(place, '[', i, ']'), JsonPlace::kPart);
    const std::string name = object.string("type").value_or("");
    const auto number = static_cast<std::size_t>(std::ranges::find(types, name) - types.begin());
    if (number == types.size() || number < first_allowed) object.refuse("type", quoted(types) + ", in this order");
    first_allowed = std::min(number + 1, types.size() - 1);
    try {
      for_each_type(transforms, [&](std::string_view type, auto& out) {
        if (type != name) return;
        read_transform(object, out);
        refuse_unknown_keys(list[i], object, keys_of(out));
      });
      bytes::validate(transforms);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidArgument) throw;
      base::fail_format(object.name(), error.what());
    }
  }
  return transforms;
}

// Writing.

void append(std::string& text, std::string_view key, const auto& value) {
  if constexpr (requires { value.has_value(); }) {
    if (value) append(text, key, *value);
  } else if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(value)>>) {
    append(text, key, joined('"', to_string(value), '"'));
  } else {
    text += joined(text.empty() ? "\"" : ", \"", key, "\": ", value);
  }
}

/// The keys of `object` with their values, after what stands in `text`.
std::string with_keys(std::string text, const auto& object) {
  for_each_key(object, [&](std::string_view key, const auto& value, const auto&) { append(text, key, value); });
  return text;
}

/// A member of the whole object; nothing if `keys` are empty.
std::string member(std::string_view name, const std::string& keys) {
  return keys.empty() ? "" : joined(",\n    \"", name, "\": { ", keys, " }");
}

void append_transform(std::vector<std::string>& objects, std::string_view type, const auto& transform) {
  if (transform) objects.push_back(with_keys(joined("\"type\": \"", type, '"'), *transform));
}

void append_transform(std::vector<std::string>& objects, std::string_view type,
                      const std::vector<bytes::BytePermutation>& permutations) {
  for (const bytes::BytePermutation& permutation : permutations) {
    std::string& text = objects.emplace_back(joined("\"type\": \"", type, '"'));
    append(text, "seed", permutation.seed());
    if (!permutation.seed()) append(text, "fingerprint", joined('"', permutation.fingerprint(), '"'));
  }
}

/// \param separator between objects, after their comma
std::string transforms_text(const bytes::Transforms& transforms, std::string_view separator) {
  std::vector<std::string> objects;
  for_each_type(transforms,
                [&](std::string_view type, const auto& transform) { append_transform(objects, type, transform); });
  if (objects.empty()) return "[]";
  return joined("[ { ", base::list(objects, joined(" },", separator, "{ ")), " } ]");
}

}  // namespace

Preprocess parse_preprocess(std::string_view json, const std::string& source) {
  if (json.empty()) return {};
  const Json root = format::parse_json(json, source);
  const JsonKeys keys(root, source, JsonPlace::kPart);
  check_version(keys);
  const auto kind = keys.string("kind");
  Preprocess preprocess;
  if (kind == "image" || kind == "image+audio")
    preprocess.image = read_preparation<ImagePreparation>(keys, "image", "encoding");
  else if (kind != "audio" && kind != "bytes")
    keys.refuse("kind", R"("bytes", "image", "audio" or "image+audio")");
  if (kind == "audio" || kind == "image+audio")
    preprocess.sound =
        read_preparation<SoundPreparation>(keys, "audio", kind == "audio" ? "encoding" : "audio_encoding");
  if (const Json* list = keys.find("transforms"))
    preprocess.transforms = read_transforms(*list, keys.name() + ".transforms");
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
  if (image) text += member("image", with_keys("", *image));
  if (sound) text += member("audio", with_keys("", *sound));
  if (image) text += member("encoding", with_keys("", image->encoding));
  if (sound) text += member(image ? "audio_encoding" : "encoding", with_keys("", sound->encoding));
  if (!transforms.empty()) text += ",\n    \"transforms\": " + transforms_text(transforms, "\n                    ");
  return text + "\n  }";
}

std::string transforms_json(const bytes::Transforms& transforms) { return transforms_text(transforms, " "); }

}  // namespace byteformer::prepare
