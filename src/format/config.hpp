// A model's configuration: the typed content of config.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/masking.hpp"

namespace byteformer::format {

enum class PositionEmbedding { kLearned, kSinusoidal };

/// What a class is called elsewhere; each part may be empty.
struct LabelInfo {
  std::vector<std::string> extensions;  ///< of files, without a dot, the usual one first
  std::string media_type, group;
  std::vector<std::string> aliases = {};  ///< other names that data sets have for it, such as WordNet's number

  bool operator==(const LabelInfo&) const = default;
};

/// What `max_position_embeddings` may be at most.
inline constexpr std::int64_t kMostPositions = 16'777'216;

/// Every hyperparameter of a ByteFormer; the vectors have one entry per layer.
struct ModelConfig {
  std::int64_t hidden_size = 192;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 3;
  std::int64_t intermediate_size = 768;
  std::int64_t vocab_size = 257;
  std::int64_t pad_token_id = 256;
  double layer_norm_eps = 1e-5;
  std::int64_t conv_kernel_size = 16;  ///< k; the stride is k / 2. 0 means no convolution.
  std::int64_t max_position_embeddings = 50'000;
  PositionEmbedding position_embedding = PositionEmbedding::kLearned;
  std::vector<std::int64_t> window_sizes;   ///< rows of an attention window
  std::vector<std::int64_t> window_shifts;  ///< rows by which the windows are shifted
  std::vector<bool> downsample;             ///< whether a token merge follows the layer
  Masking masking = Masking::kMasked;
  std::int64_t num_labels = 0;
  std::vector<std::string> labels;                   ///< [num_labels]
  std::map<std::string, LabelInfo> label_info = {};  ///< by label; not every label needs one
  double temperature = 1.0;                          ///< divides the logits before the softmax
  std::optional<double> unknown_below = {};          ///< a best score below this: the file may be of no class
  std::string preprocess;                            ///< JSON text of the `preprocess` object; empty if absent

  std::int64_t head_dim() const { return hidden_size / num_attention_heads; }
  std::int64_t stride() const { return conv_kernel_size == 0 ? 1 : conv_kernel_size / 2; }

  bool operator==(const ModelConfig&) const = default;
};

/// What a configuration says; what it leaves open is empty. An import fills the rest from the shapes of the weights.
struct PartialConfig {
  std::optional<std::int64_t> hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, vocab_size,
      pad_token_id, conv_kernel_size, max_position_embeddings, num_labels;
  std::optional<double> layer_norm_eps, temperature, unknown_below;
  std::optional<PositionEmbedding> position_embedding;
  std::optional<std::int64_t> window_size;  ///< one size for every layer, where `window_sizes` is not given (YAML)
  std::optional<std::vector<std::int64_t>> window_sizes, window_shifts;
  std::optional<std::vector<bool>> downsample;
  std::optional<Masking> masking;
  std::optional<std::vector<std::string>> labels;
  std::optional<std::map<std::string, LabelInfo>> label_info;
  std::optional<std::string> preprocess;
};

/// Parses config.json; `source` stands in messages. Types and duplicate keys are checked, ranges are left to
/// `complete`; unknown keys are ignored (a later version may know them).
/// \throws Error kInvalidFormat naming `source`, the key, what was expected and what was found; kUnsupported for
///         another model_type or a later format_version.
PartialConfig parse_partial_config(std::string_view json, const std::string& source);

/// Fills what `partial` leaves open with the published defaults and validates the result. hidden_size,
/// num_hidden_layers, num_attention_heads and num_labels (or labels) have none.
/// \throws Error kInvalidModel naming `source`, the keys and the values.
ModelConfig complete(const PartialConfig& partial, const std::string& source);

/// parse_partial_config and complete in one.
/// \throws Error kInvalidFormat or kInvalidModel.
ModelConfig parse_config(std::string_view json, const std::string& source);

/// Checks that the parts agree: positive sizes within bounds, heads that divide, an even kernel, one entry per layer,
/// labels as many as classes.
/// \throws Error kInvalidModel naming `source`, the keys and the values.
void validate(const ModelConfig& config, const std::string& source);

/// The text of config.json, keys in the order of its list, ending in a newline.
std::string to_json(const ModelConfig& config);

std::string_view to_string(Masking masking) noexcept;         ///< "released" or "masked"
std::string_view to_string(PositionEmbedding type) noexcept;  ///< "learned" or "sinusoidal"

/// \throws Error kInvalidArgument naming the two that exist.
Masking parse_masking(std::string_view name);
PositionEmbedding parse_position_embedding(std::string_view name);

}  // namespace byteformer::format
