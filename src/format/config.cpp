// Defaults and validity of a configuration.
#include "format/config.hpp"

#include <cmath>

#include "format/json.hpp"
#include "format/text.hpp"

namespace byteformer::format {
namespace {

// Far beyond any model that exists, and small enough that no product of them overflows 64 bits.
constexpr std::int64_t kMaxHiddenSize = 65'536;
constexpr std::int64_t kMaxLayers = 4'096;
constexpr std::int64_t kMaxIntermediateSize = 1'048'576;
constexpr std::int64_t kMaxKernelSize = 65'536;
constexpr std::int64_t kMaxPositions = 16'777'216;  // float32, in which sinusoids are computed, counts no further
constexpr std::int64_t kMaxWindowSize = 65'536;
constexpr std::int64_t kMaxWindowShift = 1'000'000'000;
constexpr std::int64_t kMaxLabels = 1'000'000;

constexpr std::int64_t kVocabSize = 257;  // 256 byte values and the padding id
constexpr std::int64_t kPadTokenId = 256;
constexpr std::int64_t kDefaultWindowSize = 128;
constexpr std::int64_t kDefaultWindowShift = 64;  // of every second layer

bool merges_by_default(std::int64_t layer) {
  return layer == 0 || layer == 1 || layer == 3 || layer == 5 || layer == 7 || layer == 9;
}

void check_range(const std::string& source, std::string_view key, std::int64_t value, std::int64_t low,
                 std::int64_t high) {
  if (value < low || value > high)
    fail(ErrorCode::kInvalidModel, base::About{source}, key, " is ", value, ", expected ", low, " to ", high);
}

void check_exactly(const std::string& source, std::string_view key, std::int64_t value, std::int64_t expected) {
  if (value != expected)
    fail(ErrorCode::kInvalidModel, base::About{source}, key, " is ", value, ", expected ", expected);
}

void check_positive(const std::string& source, std::string_view key, double value) {
  if (!std::isfinite(value) || value <= 0)
    fail(ErrorCode::kInvalidModel, base::About{source}, key, " is ", value, ", expected a positive finite number");
}

void check_one_a_layer(const std::string& source, std::string_view key, std::size_t size, std::int64_t num_layers) {
  if (static_cast<std::int64_t>(size) != num_layers)
    fail(ErrorCode::kInvalidModel, base::About{source}, key, " has ", size, " entries, expected one for each of the ",
         num_layers, " layers (num_hidden_layers)");
}

void validate_layers(const ModelConfig& config, const std::string& source) {
  check_one_a_layer(source, "window_sizes", config.window_sizes.size(), config.num_hidden_layers);
  check_one_a_layer(source, "window_shifts", config.window_shifts.size(), config.num_hidden_layers);
  check_one_a_layer(source, "downsample", config.downsample.size(), config.num_hidden_layers);
  for (std::size_t i = 0; i < config.window_sizes.size(); ++i) {
    check_range(source, joined("window_sizes[", i, "]"), config.window_sizes[i], 1, kMaxWindowSize);
    check_range(source, joined("window_shifts[", i, "]"), config.window_shifts[i], 0, kMaxWindowShift);
  }
}

void validate_positions(const ModelConfig& config, const std::string& source) {
  check_range(source, "max_position_embeddings", config.max_position_embeddings, 1, kMaxPositions);
  if (config.position_embedding == PositionEmbedding::kSinusoidal &&
      (config.hidden_size % 2 != 0 || config.hidden_size < 4))
    fail(ErrorCode::kInvalidModel, base::About{source}, "hidden_size is ", config.hidden_size,
         ", expected an even number of at least 4, as position_embedding_type is sinusoidal");
}

void validate_labels(const ModelConfig& config, const std::string& source) {
  check_range(source, "num_labels", config.num_labels, 1, kMaxLabels);
  if (static_cast<std::int64_t>(config.labels.size()) != config.num_labels)
    fail(ErrorCode::kInvalidModel, base::About{source}, "id2label has ", config.labels.size(),
         " labels, num_labels is ", config.num_labels);
  for (std::size_t i = 0; i < config.labels.size(); ++i)
    if (!is_utf8(config.labels[i]))
      fail(ErrorCode::kInvalidModel, base::About{source}, "label ", i, " is not UTF-8: \"", excerpt(config.labels[i]),
           '"');
}

/// The value that must be there, in range before anything is sized by it.
std::int64_t required(const std::optional<std::int64_t>& value, const std::string& source, std::string_view key,
                      std::int64_t high) {
  if (!value) fail(ErrorCode::kInvalidModel, base::About{source}, key, " is missing; add it");
  check_range(source, key, *value, 1, high);
  return *value;
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

void complete_labels(const PartialConfig& partial, const std::string& source, ModelConfig& config) {
  if (partial.labels) {
    config.labels = *partial.labels;
    config.num_labels = partial.num_labels.value_or(static_cast<std::int64_t>(config.labels.size()));
    return;
  }
  config.num_labels = required(partial.num_labels, source, "num_labels (or id2label)", kMaxLabels);
  config.labels.reserve(static_cast<std::size_t>(config.num_labels));
  for (std::int64_t i = 0; i < config.num_labels; ++i) config.labels.push_back(std::to_string(i));
}

}  // namespace

ModelConfig complete(const PartialConfig& partial, const std::string& source) {
  ModelConfig config;
  config.hidden_size = required(partial.hidden_size, source, "hidden_size", kMaxHiddenSize);
  config.num_hidden_layers = required(partial.num_hidden_layers, source, "num_hidden_layers", kMaxLayers);
  config.num_attention_heads = required(partial.num_attention_heads, source, "num_attention_heads", kMaxHiddenSize);
  config.intermediate_size = partial.intermediate_size.value_or(4 * config.hidden_size);
  config.vocab_size = partial.vocab_size.value_or(config.vocab_size);
  config.pad_token_id = partial.pad_token_id.value_or(config.pad_token_id);
  config.layer_norm_eps = partial.layer_norm_eps.value_or(config.layer_norm_eps);
  config.conv_kernel_size = partial.conv_kernel_size.value_or(config.conv_kernel_size);
  config.max_position_embeddings = partial.max_position_embeddings.value_or(config.max_position_embeddings);
  config.position_embedding = partial.position_embedding.value_or(config.position_embedding);
  complete_layers(partial, config);
  config.masking = partial.masking.value_or(config.masking);
  complete_labels(partial, source, config);
  config.temperature = partial.temperature.value_or(config.temperature);
  config.preprocess = partial.preprocess.value_or("");
  validate(config, source);
  return config;
}

ModelConfig parse_config(std::string_view json, const std::string& source) {
  return complete(parse_partial_config(json, source), source);
}

void validate(const ModelConfig& config, const std::string& source) {
  check_range(source, "hidden_size", config.hidden_size, 1, kMaxHiddenSize);
  check_range(source, "num_hidden_layers", config.num_hidden_layers, 1, kMaxLayers);
  check_range(source, "num_attention_heads", config.num_attention_heads, 1, kMaxHiddenSize);
  if (config.hidden_size % config.num_attention_heads != 0)
    fail(ErrorCode::kInvalidModel, base::About{source}, "num_attention_heads is ", config.num_attention_heads,
         ", expected a divisor of hidden_size, which is ", config.hidden_size);
  check_range(source, "intermediate_size", config.intermediate_size, 1, kMaxIntermediateSize);
  check_exactly(source, "vocab_size", config.vocab_size, kVocabSize);
  check_exactly(source, "pad_token_id", config.pad_token_id, kPadTokenId);
  check_positive(source, "layer_norm_eps", config.layer_norm_eps);
  check_range(source, "conv_kernel_size", config.conv_kernel_size, 0, kMaxKernelSize);
  if (config.conv_kernel_size % 2 != 0)
    fail(ErrorCode::kInvalidModel, base::About{source}, "conv_kernel_size is ", config.conv_kernel_size,
         ", expected an even number (the stride is half of it) or 0");
  validate_positions(config, source);
  validate_layers(config, source);
  validate_labels(config, source);
  check_positive(source, "temperature", config.temperature);
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
