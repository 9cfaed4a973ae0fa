// The keys of config.json: one list of them, by which it is read, completed, checked and written.
#include "format/config.hpp"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::format {
namespace {

using base::excerpt;
using base::fail;
using base::fail_format;
using base::joined;

constexpr std::int64_t kFormatVersion = 1;
constexpr std::int64_t kDefaultWindowSize = 128;
constexpr std::int64_t kDefaultWindowShift = 64;  // of every second layer

/// What the value of a key may be: nothing but its type.
struct Any {};
struct Positive {};  ///< and finite
struct Share {};     ///< 0 to 1
struct Whole {
  std::int64_t low, high;
};
/// A list with an element per layer.
struct PerLayer {
  Whole each = {0, 1};
};

/// Calls visit(key, partial member, member, bounds) for every key, in the order in which they are written. The largest
/// sizes are far beyond any model that exists, and small enough that no product of them overflows 64 bits.
template <typename Partial, typename Config, typename Visit>
void for_each_key(Partial& p, Config& c, const Visit& visit) {
  visit("hidden_size", p.hidden_size, c.hidden_size, Whole{1, 65'536});
  visit("num_hidden_layers", p.num_hidden_layers, c.num_hidden_layers, Whole{1, 4'096});
  visit("num_attention_heads", p.num_attention_heads, c.num_attention_heads, Whole{1, 65'536});
  visit("intermediate_size", p.intermediate_size, c.intermediate_size, Whole{1, 1'048'576});
  visit("vocab_size", p.vocab_size, c.vocab_size, Whole{257, 257});  // 256 byte values and the padding id
  visit("pad_token_id", p.pad_token_id, c.pad_token_id, Whole{256, 256});
  visit("layer_norm_eps", p.layer_norm_eps, c.layer_norm_eps, Positive());
  visit("conv_kernel_size", p.conv_kernel_size, c.conv_kernel_size, Whole{0, 65'536});
  // float32, in which sinusoids are computed, counts no further
  visit("max_position_embeddings", p.max_position_embeddings, c.max_position_embeddings, Whole{1, 16'777'216});
  visit("position_embedding_type", p.position_embedding, c.position_embedding, Any());
  visit("window_sizes", p.window_sizes, c.window_sizes, PerLayer{{1, 65'536}});
  visit("window_shifts", p.window_shifts, c.window_shifts, PerLayer{{0, 1'000'000'000}});
  visit("downsample", p.downsample, c.downsample, PerLayer());
  visit("masking", p.masking, c.masking, Any());
  visit("num_labels", p.num_labels, c.num_labels, Whole{1, 1'000'000});
  visit("id2label", p.labels, c.labels, Any());
  visit("label_info", p.label_info, c.label_info, Any());
  visit("temperature", p.temperature, c.temperature, Positive());
  visit("unknown_below", p.unknown_below, c.unknown_below, Share());
  visit("preprocess", p.preprocess, c.preprocess, Any());
}

/// Reads typed keys of one JSON object; every method returns nothing where the key is absent.
class KeyReader {
 public:
  KeyReader(const Json& object, const std::string& source) : object_(object), source_(source) {}

  const Json* find(std::string_view key) const {
    const auto entry = object_.find(key);
    return entry == object_.end() ? nullptr : &*entry;
  }

  std::optional<std::string> string(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) refuse(key, "a string", *value);
    return value->get<std::string>();
  }

  void read(std::string_view key, std::optional<std::int64_t>& out) const {
    if (const Json* value = find(key)) out = as_integer(key, *value);
  }

  void read(std::string_view key, std::optional<double>& out) const {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) refuse(key, "a number", *value);
    out = value->get<double>();
  }

  void read(std::string_view key, std::optional<std::vector<std::int64_t>>& out) const {
    out = list<std::int64_t>(key, "an array of integers, one a layer",
                             [this](std::string_view name, const Json& value) { return as_integer(name, value); });
  }

  void read(std::string_view key, std::optional<std::vector<bool>>& out) const {
    out = list<bool>(key, "an array of true and false, one a layer", [this](std::string_view name, const Json& value) {
      if (!value.is_boolean()) refuse(name, "true or false", value);
      return value.get<bool>();
    });
  }

  void read(std::string_view key, std::optional<PositionEmbedding>& out) const {
    const auto type = string(key);
    if (type && *type != "learned" && *type != "sinusoidal") refuse(key, "\"learned\" or \"sinusoidal\"", *find(key));
    if (type) out = *type == "learned" ? PositionEmbedding::kLearned : PositionEmbedding::kSinusoidal;
  }

  void read(std::string_view key, std::optional<Masking>& out) const {
    const auto masking = string(key);
    if (masking && *masking != "released" && *masking != "masked")
      refuse(key, "\"released\" or \"masked\"", *find(key));
    if (masking) out = parse_masking(*masking);
  }

  /// The names of the classes: an object from "0", "1", ... to them.
  void read(std::string_view key, std::optional<std::vector<std::string>>& out) const;

  /// What labels stand for: an object of objects by label.
  void read(std::string_view key, std::optional<std::map<std::string, LabelInfo>>& out) const;

  /// The JSON text of an object.
  void read(std::string_view key, std::optional<std::string>& out) const {
    const Json* object = find(key);
    if (object == nullptr) return;
    if (!object->is_object()) refuse(key, "an object", *object);
    out = object->dump();
  }

  [[noreturn]] void refuse(std::string_view key, std::string_view expected, const Json& found) const {
    fail_format(source_, key, " is ", description(found), ", expected ", expected);
  }

 private:
  std::int64_t as_integer(std::string_view key, const Json& value) const {
    const bool fits = !value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
    if (!value.is_number_integer() || !fits) refuse(key, "an integer", value);
    return value.get<std::int64_t>();
  }

  template <typename T, typename Convert>
  std::optional<std::vector<T>> list(std::string_view key, std::string_view expected, Convert convert) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array()) refuse(key, expected, *value);
    std::vector<T> out;
    for (const Json& element : *value) out.push_back(convert(joined(key, "[", out.size(), "]"), element));
    return out;
  }

  const Json& object_;
  const std::string& source_;
};

/// The index that a key of id2label spells; -1 if it is none (a sign, leading zeros, anything else).
std::int64_t label_index(const std::string& key) {
  std::int64_t index = -1;
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data(), end, index);
  return error == std::errc() && stop == end && std::to_string(index) == key ? index : -1;
}

void KeyReader::read(std::string_view key, std::optional<std::vector<std::string>>& out) const {
  const Json* id2label = find(key);
  if (id2label == nullptr) return;
  if (!id2label->is_object()) refuse(key, "an object that names every class", *id2label);
  const auto num_labels = static_cast<std::int64_t>(id2label->size());
  std::vector<std::string> labels(id2label->size());
  for (const auto& [name, label] : id2label->items()) {  // names differ, so indexes in range stand for each place once
    const std::int64_t index = label_index(name);
    if (index < 0 || index >= num_labels)
      fail_format(source_, key, " has the key \"", excerpt(name), "\", expected exactly \"0\" to \"", num_labels - 1,
                  "\" for its ", num_labels, " labels");
    if (!label.is_string()) refuse(joined(key, "[\"", name, "\"]"), "a string", label);
    labels[static_cast<std::size_t>(index)] = label.get<std::string>();
  }
  out = std::move(labels);
}

void KeyReader::read(std::string_view key, std::optional<std::map<std::string, LabelInfo>>& out) const {
  const Json* all = find(key);
  if (all == nullptr) return;
  if (!all->is_object()) refuse(key, "an object with an object for each label", *all);
  out.emplace();
  for (const auto& [label, value] : all->items()) {
    const std::string name = joined(key, "[\"", excerpt(label), "\"]");
    if (!value.is_object()) refuse(name, "an object", value);
    const std::string place = source_ + ": " + name;
    const KeyReader keys(value, place);
    const auto as_text = [&keys](std::string_view place_in_list, const Json& element) {
      if (!element.is_string()) keys.refuse(place_in_list, "a string", element);
      return element.get<std::string>();
    };
    (*out)[label] = {
        keys.list<std::string>("extensions", "an array of strings", as_text).value_or(std::vector<std::string>{}),
        keys.string("media_type").value_or(""), keys.string("group").value_or("")};
  }
}

void check_kind(const KeyReader& keys, const std::string& source) {
  if (const auto type = keys.string("model_type"); type && *type != "byteformer")
    fail(ErrorCode::kUnsupported, base::About{source}, "model_type is \"", excerpt(*type),
         "\", expected \"byteformer\"");
  std::optional<std::int64_t> version;
  keys.read("format_version", version);
  if (version && *version != kFormatVersion)
    fail(ErrorCode::kUnsupported, base::About{source}, "format_version is ", *version, ", this build reads ",
         kFormatVersion);
}

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return Json(value).dump(); }
std::string text_of(PositionEmbedding type) {
  return type == PositionEmbedding::kLearned ? "\"learned\"" : "\"sinusoidal\"";
}
std::string text_of(Masking masking) { return joined('"', to_string(masking), '"'); }
std::string text_of(const std::string& object) { return object; }

std::string text_of(const std::vector<std::string>& labels) {
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i)
    text += joined(i == 0 ? "\n" : ",\n", "    \"", i, "\": ", json_string(labels[i]));
  return "{" + text + "\n  }";
}

template <typename T>
std::string text_of(const std::vector<T>& list) {
  std::string text;
  for (const T element : list) text += (text.empty() ? "" : ", ") + Json(element).dump();
  return "[" + text + "]";
}

std::string text_of(const std::optional<double>& value) { return value ? text_of(*value) : ""; }

/// Nothing where nothing is known of any label.
std::string text_of(const std::map<std::string, LabelInfo>& all) {
  std::string text;
  for (const auto& [label, info] : all) {
    std::string extensions;
    for (const std::string& extension : info.extensions)
      extensions += (extensions.empty() ? "" : ", ") + json_string(extension);
    text += joined(text.empty() ? "{\n" : ",\n", "    ", json_string(label), ": { \"extensions\": [", extensions, "]");
    if (!info.media_type.empty()) text += joined(", \"media_type\": ", json_string(info.media_type));
    if (!info.group.empty()) text += joined(", \"group\": ", json_string(info.group));
    text += " }";
  }
  return text.empty() ? text : text + "\n  }";
}

/// Checks single values; `source` stands in messages.
class Checker {
 public:
  Checker(const ModelConfig& config, const std::string& source) : config_(config), source_(source) {}

  template <typename T>
  void check(std::string_view, const T&, Any) const {}

  void check(std::string_view key, std::int64_t value, Whole bounds) const {
    if (value >= bounds.low && value <= bounds.high) return;
    fail(ErrorCode::kInvalidModel, base::About{source_}, key, " is ", value, ", expected ",
         bounds.low == bounds.high ? joined(bounds.low) : joined(bounds.low, " to ", bounds.high));
  }

  void check(std::string_view key, double value, Positive) const {
    if (!std::isfinite(value) || value <= 0)
      fail(ErrorCode::kInvalidModel, base::About{source_}, key, " is ", value, ", expected a positive finite number");
  }

  void check(std::string_view key, const std::optional<double>& value, Share) const {
    if (value && !(*value >= 0 && *value <= 1))
      fail(ErrorCode::kInvalidModel, base::About{source_}, key, " is ", *value, ", expected 0 to 1");
  }

  template <typename T>
  void check(std::string_view key, const std::vector<T>& list, PerLayer bounds) const {
    if (static_cast<std::int64_t>(list.size()) != config_.num_hidden_layers)
      fail(ErrorCode::kInvalidModel, base::About{source_}, key, " has ", list.size(),
           " entries, expected one for each of the ", config_.num_hidden_layers, " layers (num_hidden_layers)");
    for (std::size_t i = 0; i < list.size(); ++i)
      check(joined(key, "[", i, "]"), static_cast<std::int64_t>(list[i]), bounds.each);
  }

 private:
  const ModelConfig& config_;
  const std::string& source_;
};

void validate_labels(const ModelConfig& config, const std::string& source) {
  if (static_cast<std::int64_t>(config.labels.size()) != config.num_labels)
    fail(ErrorCode::kInvalidModel, base::About{source}, "id2label has ", config.labels.size(),
         " labels, num_labels is ", config.num_labels);
  for (std::size_t i = 0; i < config.labels.size(); ++i)
    if (!base::is_utf8(config.labels[i]))
      fail(ErrorCode::kInvalidModel, base::About{source}, "label ", i, " is not UTF-8: \"", excerpt(config.labels[i]),
           '"');
}

bool merges_by_default(std::int64_t layer) {
  return layer == 0 || layer == 1 || layer == 3 || layer == 5 || layer == 7 || layer == 9;
}

void complete_layers(const PartialConfig& partial, ModelConfig& config) {
  const auto num_layers = static_cast<std::size_t>(config.num_hidden_layers);
  config.window_sizes = partial.window_sizes.value_or(
      std::vector<std::int64_t>(num_layers, partial.window_size.value_or(kDefaultWindowSize)));
  std::vector<std::int64_t> shifts(num_layers, 0);
  for (std::size_t i = 1; i < num_layers; i += 2) shifts[i] = kDefaultWindowShift;
  config.window_shifts = partial.window_shifts.value_or(std::move(shifts));
  std::vector<bool> downsample(num_layers);
  for (std::size_t i = 0; i < num_layers; ++i) downsample[i] = merges_by_default(static_cast<std::int64_t>(i));
  config.downsample = partial.downsample.value_or(std::move(downsample));
}

void complete_labels(const PartialConfig& partial, ModelConfig& config) {
  if (partial.labels) {
    config.num_labels = partial.num_labels.value_or(static_cast<std::int64_t>(config.labels.size()));
    return;
  }
  config.labels.reserve(static_cast<std::size_t>(config.num_labels));
  for (std::int64_t i = 0; i < config.num_labels; ++i) config.labels.push_back(std::to_string(i));
}

/// Keys without which no size of a tensor is known, in range before anything is sized by them.
void check_required(const PartialConfig& partial, const ModelConfig& config, const std::string& source) {
  const Checker checker(config, source);
  for_each_key(partial, config, [&](std::string_view key, const auto& given, const auto& value, auto bounds) {
    const bool is_required = key == "hidden_size" || key == "num_hidden_layers" || key == "num_attention_heads" ||
                             (key == "num_labels" && !partial.labels);
    if (!is_required) return;
    if (!given)
      fail(ErrorCode::kInvalidModel, base::About{source}, key, key == "num_labels" ? " (or id2label)" : "",
           " is missing; add it");
    checker.check(key, value, bounds);
  });
}

}  // namespace

PartialConfig parse_partial_config(std::string_view json, const std::string& source) {
  const Json root = parse_json(json, source);
  if (!root.is_object()) fail_format(source, "is ", description(root), ", expected a JSON object");
  const KeyReader keys(root, source);
  check_kind(keys, source);
  PartialConfig config;
  const ModelConfig unused;
  for_each_key(config, unused, [&](std::string_view key, auto& out, const auto&, auto) { keys.read(key, out); });
  return config;
}

std::string to_json(const ModelConfig& config) {
  std::string text = joined("{\n  \"model_type\": \"byteformer\",\n  \"format_version\": ", kFormatVersion);
  const PartialConfig unused;
  for_each_key(unused, config, [&](std::string_view key, const auto&, const auto& value, auto) {
    if (const std::string written = text_of(value); !written.empty()) text += joined(",\n  \"", key, "\": ", written);
  });
  return text + "\n}\n";
}

ModelConfig complete(const PartialConfig& partial, const std::string& source) {
  ModelConfig config;
  for_each_key(partial, config, [](std::string_view, const auto& given, auto& value, auto) {
    if (given) value = *given;
  });
  check_required(partial, config, source);
  config.intermediate_size = partial.intermediate_size.value_or(4 * config.hidden_size);
  complete_layers(partial, config);
  complete_labels(partial, config);
  validate(config, source);
  return config;
}

ModelConfig parse_config(std::string_view json, const std::string& source) {
  return complete(parse_partial_config(json, source), source);
}

void validate(const ModelConfig& config, const std::string& source) {
  const Checker checker(config, source);
  const PartialConfig unused;
  for_each_key(unused, config, [&](std::string_view key, const auto&, const auto& value, auto bounds) {
    checker.check(key, value, bounds);
  });
  if (config.hidden_size % config.num_attention_heads != 0)
    fail(ErrorCode::kInvalidModel, base::About{source}, "num_attention_heads is ", config.num_attention_heads,
         ", expected a divisor of hidden_size, which is ", config.hidden_size);
  if (config.conv_kernel_size % 2 != 0)
    fail(ErrorCode::kInvalidModel, base::About{source}, "conv_kernel_size is ", config.conv_kernel_size,
         ", expected an even number (the stride is half of it) or 0");
  if (config.position_embedding == PositionEmbedding::kSinusoidal &&
      (config.hidden_size % 2 != 0 || config.hidden_size < 4))
    fail(ErrorCode::kInvalidModel, base::About{source}, "hidden_size is ", config.hidden_size,
         ", expected an even number of at least 4, as position_embedding_type is sinusoidal");
  validate_labels(config, source);
  if (!config.preprocess.empty() && !parse_json(config.preprocess, source + ": preprocess").is_object())
    fail(ErrorCode::kInvalidModel, base::About{source}, "preprocess is ", excerpt(config.preprocess),
         ", expected a JSON object");
}

std::string_view to_string(Masking masking) noexcept { return masking == Masking::kReleased ? "released" : "masked"; }

Masking parse_masking(std::string_view name) {
  if (name == "released") return Masking::kReleased;
  if (name == "masked") return Masking::kMasked;
  fail(ErrorCode::kInvalidArgument, "masking is \"", excerpt(name), "\", expected \"released\" or \"masked\"");
}

}  // namespace byteformer::format
