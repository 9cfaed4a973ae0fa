// config.json, read and written.
#include <charconv>

#include "format/config.hpp"
#include "format/json.hpp"
#include "format/text.hpp"

namespace byteformer::format {
namespace {

constexpr std::int64_t kFormatVersion = 1;

/// Reads typed keys of one JSON object; every method returns nothing where the key is absent.
class KeyReader {
 public:
  KeyReader(const Json& object, const std::string& source) : object_(object), source_(source) {}

  const Json* find(std::string_view key) const {
    const auto entry = object_.find(key);
    return entry == object_.end() ? nullptr : &*entry;
  }

  std::optional<std::int64_t> integer(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    return as_integer(key, *value);
  }

  std::optional<double> number(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) refuse(key, "a number", *value);
    return value->get<double>();
  }

  std::optional<std::string> string(std::string_view key) const {
    const Json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) refuse(key, "a string", *value);
    return value->get<std::string>();
  }

  std::optional<std::vector<std::int64_t>> integers(std::string_view key) const {
    return list<std::int64_t>(key, "an array of integers, one a layer",
                              [this](std::string_view name, const Json& value) { return as_integer(name, value); });
  }

  std::optional<std::vector<bool>> booleans(std::string_view key) const {
    return list<bool>(key, "an array of true and false, one a layer", [this](std::string_view name, const Json& value) {
      if (!value.is_boolean()) refuse(name, "true or false", value);
      return value.get<bool>();
    });
  }

  [[noreturn]] void refuse(std::string_view key, std::string_view expected, const Json& found) const {
    fail(ErrorCode::kInvalidFormat, base::About{source_}, key, " is ", description(found), ", expected ", expected);
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

std::optional<std::vector<std::string>> read_labels(const KeyReader& keys, const std::string& source) {
  const Json* id2label = keys.find("id2label");
  if (id2label == nullptr) return std::nullopt;
  if (!id2label->is_object()) keys.refuse("id2label", "an object that names every class", *id2label);
  const auto num_labels = static_cast<std::int64_t>(id2label->size());
  std::vector<std::string> labels(id2label->size());
  for (const auto& [key, label] : id2label->items()) {  // keys differ, so indexes in range name each place once
    const std::int64_t index = label_index(key);
    if (index < 0 || index >= num_labels)
      fail(ErrorCode::kInvalidFormat, base::About{source}, "id2label has the key \"", excerpt(key),
           "\", expected exactly \"0\" to \"", num_labels - 1, "\" for its ", num_labels, " labels");
    if (!label.is_string()) keys.refuse(joined("id2label[\"", key, "\"]"), "a string", label);
    labels[static_cast<std::size_t>(index)] = label.get<std::string>();
  }
  return labels;
}

void check_kind(const KeyReader& keys, const std::string& source) {
  if (const auto type = keys.string("model_type"); type && *type != "byteformer")
    fail(ErrorCode::kUnsupported, base::About{source}, "model_type is \"", excerpt(*type),
         "\", expected \"byteformer\"");
  if (const auto version = keys.integer("format_version"); version && *version != kFormatVersion)
    fail(ErrorCode::kUnsupported, base::About{source}, "format_version is ", *version, ", this build reads ",
         kFormatVersion);
}

std::optional<PositionEmbedding> read_position_embedding(const KeyReader& keys) {
  const auto type = keys.string("position_embedding_type");
  if (!type) return std::nullopt;
  if (*type == "learned") return PositionEmbedding::kLearned;
  if (*type == "sinusoidal") return PositionEmbedding::kSinusoidal;
  keys.refuse("position_embedding_type", "\"learned\" or \"sinusoidal\"", *keys.find("position_embedding_type"));
}

std::optional<Masking> read_masking(const KeyReader& keys) {
  const auto masking = keys.string("masking");
  if (!masking) return std::nullopt;
  if (*masking != "released" && *masking != "masked")
    keys.refuse("masking", "\"released\" or \"masked\"", *keys.find("masking"));
  return parse_masking(*masking);
}

std::optional<std::string> read_preprocess(const KeyReader& keys) {
  const Json* preprocess = keys.find("preprocess");
  if (preprocess == nullptr) return std::nullopt;
  if (!preprocess->is_object()) keys.refuse("preprocess", "an object", *preprocess);
  return preprocess->dump();
}

template <typename List>
std::string list_text(const List& list) {
  std::string text;
  for (const auto element : list) {
    if (!text.empty()) text += ", ";
    text += Json(element).dump();
  }
  return "[" + text + "]";
}

std::string labels_text(const std::vector<std::string>& labels) {
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i)
    text += joined(i == 0 ? "\n" : ",\n", "    \"", i, "\": ", json_string(labels[i]));
  return "{" + text + "\n  }";
}

}  // namespace

PartialConfig parse_partial_config(std::string_view json, const std::string& source) {
  const Json root = parse_json(json, source);
  if (!root.is_object())
    fail(ErrorCode::kInvalidFormat, base::About{source}, "is ", description(root), ", expected a JSON object");
  const KeyReader keys(root, source);
  check_kind(keys, source);
  PartialConfig config;
  config.hidden_size = keys.integer("hidden_size");
  config.num_hidden_layers = keys.integer("num_hidden_layers");
  config.num_attention_heads = keys.integer("num_attention_heads");
  config.intermediate_size = keys.integer("intermediate_size");
  config.vocab_size = keys.integer("vocab_size");
  config.pad_token_id = keys.integer("pad_token_id");
  config.layer_norm_eps = keys.number("layer_norm_eps");
  config.conv_kernel_size = keys.integer("conv_kernel_size");
  config.max_position_embeddings = keys.integer("max_position_embeddings");
  config.position_embedding = read_position_embedding(keys);
  config.window_sizes = keys.integers("window_sizes");
  config.window_shifts = keys.integers("window_shifts");
  config.downsample = keys.booleans("downsample");
  config.masking = read_masking(keys);
  config.num_labels = keys.integer("num_labels");
  config.labels = read_labels(keys, source);
  config.temperature = keys.number("temperature");
  config.preprocess = read_preprocess(keys);
  return config;
}

std::string to_json(const ModelConfig& config) {
  std::string text = "{";
  const auto add = [&text](std::string_view key, std::string_view value) {
    text += joined(text.size() > 1 ? ",\n" : "\n", "  \"", key, "\": ", value);
  };
  const bool is_learned = config.position_embedding == PositionEmbedding::kLearned;
  add("model_type", "\"byteformer\"");
  add("format_version", std::to_string(kFormatVersion));
  add("hidden_size", std::to_string(config.hidden_size));
  add("num_hidden_layers", std::to_string(config.num_hidden_layers));
  add("num_attention_heads", std::to_string(config.num_attention_heads));
  add("intermediate_size", std::to_string(config.intermediate_size));
  add("vocab_size", std::to_string(config.vocab_size));
  add("pad_token_id", std::to_string(config.pad_token_id));
  add("layer_norm_eps", Json(config.layer_norm_eps).dump());
  add("conv_kernel_size", std::to_string(config.conv_kernel_size));
  add("max_position_embeddings", std::to_string(config.max_position_embeddings));
  add("position_embedding_type", is_learned ? "\"learned\"" : "\"sinusoidal\"");
  add("window_sizes", list_text(config.window_sizes));
  add("window_shifts", list_text(config.window_shifts));
  add("downsample", list_text(config.downsample));
  add("masking", joined('"', to_string(config.masking), '"'));
  add("num_labels", std::to_string(config.num_labels));
  add("id2label", labels_text(config.labels));
  add("temperature", Json(config.temperature).dump());
  if (!config.preprocess.empty()) add("preprocess", config.preprocess);
  return text + "\n}\n";
}

}  // namespace byteformer::format
