// The keys of config.json: one list of them, by which it is read, completed, checked and written.
#include "format/config.hpp"

#include <array>
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
constexpr std::array kMaskings{Masking::kReleased, Masking::kMasked};
constexpr std::array kPositionEmbeddings{PositionEmbedding::kLearned, PositionEmbedding::kSinusoidal};
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
  visit("max_position_embeddings", p.max_position_embeddings, c.max_position_embeddings, Whole{1, kMostPositions});
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

// Reading: nothing is changed where a key is absent.

void read(const JsonKeys& keys, std::string_view key, std::optional<std::int64_t>& out) { out = keys.integer(key); }

void read(const JsonKeys& keys, std::string_view key, std::optional<double>& out) { out = keys.number(key); }

void read(const JsonKeys& keys, std::string_view key, std::optional<PositionEmbedding>& out) {
  out = keys.named(key, std::span<const PositionEmbedding>(kPositionEmbeddings));
}

void read(const JsonKeys& keys, std::string_view key, std::optional<Masking>& out) {
  out = keys.named(key, std::span<const Masking>(kMaskings));
}

/// \param convert  gives nothing for an element that is not as `expected_of_each` says
template <typename T>
std::optional<std::vector<T>> read_list(const JsonKeys& keys, std::string_view key, std::string_view expected,
                                        std::string_view expected_of_each,
                                        std::optional<T> (*convert)(const Json& element)) {
  const std::vector<Json>* list = keys.array(key, expected);
  if (list == nullptr) return std::nullopt;
  std::vector<T> out;
  for (const Json& element : *list) {
    const auto value = convert(element);
    if (!value) keys.refuse(joined(key, "[", out.size(), "]"), expected_of_each, element);
    out.push_back(*value);
  }
  return out;
}

void read(const JsonKeys& keys, std::string_view key, std::optional<std::vector<std::int64_t>>& out) {
  out = read_list<std::int64_t>(keys, key, "an array of integers, one a layer", "an integer", as_integer);
}

void read(const JsonKeys& keys, std::string_view key, std::optional<std::vector<bool>>& out) {
  out = read_list<bool>(keys, key, "an array of true and false, one a layer", "true or false", [](const Json& element) {
    return element.is_boolean() ? std::optional(element.get<bool>()) : std::nullopt;
  });
}

/// The index that a key of id2label spells; -1 if it is none (a sign, leading zeros, anything else).
std::int64_t label_index(const std::string& key) {
  std::int64_t index = -1;
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data(), end, index);
  return error == std::errc() && stop == end && std::to_string(index) == key ? index : -1;
}

/// The names of the classes: an object from "0", "1", ... to them.
void read(const JsonKeys& keys, std::string_view key, std::optional<std::vector<std::string>>& out) {
  const Json* id2label = keys.find(key);
  if (id2label == nullptr) return;
  if (!id2label->is_object()) keys.refuse(key, "an object that names every class");
  const auto num_labels = static_cast<std::int64_t>(id2label->size());
  std::vector<std::string> labels(id2label->size());
  for (const auto& [name, label] : id2label->items()) {  // names differ, so indexes in range stand for each place once
    const std::int64_t index = label_index(name);
    if (index < 0 || index >= num_labels)
      fail_format(keys.name(), key, " has the key \"", excerpt(name), "\", expected exactly \"0\" to \"",
                  num_labels - 1, "\" for its ", num_labels, " labels");
    if (!label.is_string()) keys.refuse(joined(key, "[\"", name, "\"]"), "a string", label);
    labels[static_cast<std::size_t>(index)] = label.get<std::string>();
  }
  out = std::move(labels);
}

/// What labels stand for: an object of objects by label.
void read(const JsonKeys& keys, std::string_view key, std::optional<std::map<std::string, LabelInfo>>& out) {
  const Json* all = keys.find(key);
  if (all == nullptr) return;
  if (!all->is_object()) keys.refuse(key, "an object with an object for each label");
  out.emplace();
  for (const auto& [label, value] : all->items()) {
    const std::string place = joined(key, "[\"", excerpt(label), "\"]");
    if (!value.is_object()) keys.refuse(place, "an object", value);
    const JsonKeys info(value, joined(keys.name(), ": ", place), JsonPlace::kFile);
    const auto names = [&](std::string_view part) {
      const auto list = read_list<std::string>(info, part, "an array of strings", "a string", [](const Json& element) {
        return element.is_string() ? std::optional(element.get<std::string>()) : std::nullopt;
      });
      return list.value_or(std::vector<std::string>{});
    };
    (*out)[label] = {names("extensions"), info.string("media_type").value_or(""), info.string("group").value_or(""),
                     names("aliases")};
  }
}

/// The JSON text of an object.
void read(const JsonKeys& keys, std::string_view key, std::optional<std::string>& out) {
  const Json* object = keys.find(key);
  if (object == nullptr) return;
  if (!object->is_object()) keys.refuse(key, "an object");
  out = object->dump();
}

void check_kind(const JsonKeys& keys) {
  if (const auto type = keys.string("model_type"); type && *type != "byteformer")
    fail(ErrorCode::kUnsupported, base::About{keys.name()}, "model_type is \"", excerpt(*type),
         "\", expected \"byteformer\"");
  if (const auto version = keys.integer("format_version"); version && *version != kFormatVersion)
    fail(ErrorCode::kUnsupported, base::About{keys.name()}, "format_version is ", *version, ", this build reads ",
         kFormatVersion);
}

// Writing.

std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) { return Json(value).dump(); }
std::string text_of(PositionEmbedding type) { return joined('"', to_string(type), '"'); }
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
  return "[" + base::list(base::words_of(list, [](T element) { return Json(element).dump(); }), ", ") + "]";
}

std::string text_of(const std::optional<double>& value) { return value ? text_of(*value) : ""; }

/// Nothing where nothing is known of any label.
std::string text_of(const std::map<std::string, LabelInfo>& all) {
  std::string text;
  for (const auto& [label, info] : all) {
    const auto array = [](const std::vector<std::string>& names) {
      return joined('[', base::list(base::words_of(names, json_string), ", "), ']');
    };
    text += joined(text.empty() ? "{\n" : ",\n", "    ", json_string(label), ": { \"extensions\": ");
    text += array(info.extensions);
    if (!info.media_type.empty()) text += joined(", \"media_type\": ", json_string(info.media_type));
    if (!info.group.empty()) text += joined(", \"group\": ", json_string(info.group));
    if (!info.aliases.empty()) text += ", \"aliases\": " + array(info.aliases);
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

template <typename Enum>
Enum parse(std::string_view what, std::string_view name, std::array<Enum, 2> known) {
  for (const Enum value : known)
    if (name == to_string(value)) return value;
  fail(ErrorCode::kInvalidArgument, what, " is \"", excerpt(name), "\", expected ",
       names_of(std::span<const Enum>(known)));
}

}  // namespace

PartialConfig parse_partial_config(std::string_view json, const std::string& source) {
  const Json root = parse_json(json, source);
  const JsonKeys keys(root, source, JsonPlace::kFile);
  check_kind(keys);
  PartialConfig config;
  const ModelConfig unused;
  for_each_key(config, unused, [&](std::string_view key, auto& out, const auto&, auto) { read(keys, key, out); });
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

std::string_view to_string(PositionEmbedding type) noexcept {
  return type == PositionEmbedding::kLearned ? "learned" : "sinusoidal";
}

Masking parse_masking(std::string_view name) { return parse("masking", name, kMaskings); }

PositionEmbedding parse_position_embedding(std::string_view name) {
  return parse("position embedding", name, kPositionEmbeddings);
}

}  // namespace byteformer::format
