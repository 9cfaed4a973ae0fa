// The keys of a published configuration that describe the model.
#include "interop/published_yaml.hpp"

#include <algorithm>
#include <initializer_list>

#include "format/text.hpp"
#include "interop/presets.hpp"
#include "interop/yaml_file.hpp"

namespace byteformer::interop {
namespace {

using format::fail;
using format::joined;

constexpr const char* kSection = "model.classification.byteformer.";

/// Refuses a value that would make another model of the same tensors.
void check_choice(const YamlFile& yaml, std::string_view path, std::initializer_list<std::string_view> known) {
  const auto value = yaml.text(path);
  if (value && std::ranges::find(known, *value) == known.end())
    fail(ErrorCode::kUnsupported, yaml.source(), ": ", path, " is \"", format::excerpt(*value), "\", this build knows ",
         *known.begin());
}

void apply_mode(const YamlFile& yaml, format::PartialConfig& config) {
  const std::string path = joined(kSection, "mode");
  auto mode = yaml.text(path);
  if (!mode) return;
  for (char& c : *mode)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');  // the published code ignores case
  const auto* preset = std::ranges::find(kPresets, *mode, &Preset::name);
  if (preset == kPresets.end())
    fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", path, " is \"", format::excerpt(*mode),
         "\", expected tiny, small, base or huge");
  config.hidden_size = preset->hidden_size;
  config.num_hidden_layers = preset->num_hidden_layers;
  config.num_attention_heads = preset->num_attention_heads;
  config.intermediate_size = preset->intermediate_size;
}

void apply_windows(const YamlFile& yaml, format::PartialConfig& config) {
  config.window_sizes = yaml.integers(joined(kSection, "window_sizes"));
  if (config.window_sizes && config.window_sizes->size() == 1) {  // holds for every layer
    config.window_size = config.window_sizes->front();
    config.window_sizes.reset();
  }
  config.window_shifts = yaml.integers(joined(kSection, "window_shifts"));
  config.downsample = yaml.booleans(joined(kSection, "downsample"));
}

}  // namespace

format::PartialConfig parse_published_yaml(std::string_view yaml_text, const std::string& source) {
  const YamlFile yaml(yaml_text, source);
  // Dropout, initialisation and all sections but `model` change nothing about inference and are not looked at.
  check_choice(yaml, "model.classification.name", {"byteformer"});
  check_choice(yaml, "model.activation.name", {"gelu"});
  check_choice(yaml, "model.layer.global_pool", {"mean"});
  check_choice(yaml, joined(kSection, "norm_layer"), {"layer_norm", "layer_norm_fp32"});
  format::PartialConfig config;
  apply_mode(yaml, config);
  apply_windows(yaml, config);
  config.vocab_size = yaml.integer(joined(kSection, "vocab_size"));
  config.conv_kernel_size = yaml.integer(joined(kSection, "conv_kernel_size"));
  config.max_position_embeddings = yaml.integer(joined(kSection, "max_num_tokens"));
  if (const auto sinusoidal = yaml.boolean(joined(kSection, "sinusoidal_pos_emb")))
    config.position_embedding =
        *sinusoidal ? format::PositionEmbedding::kSinusoidal : format::PositionEmbedding::kLearned;
  config.num_labels = yaml.integer("model.classification.n_classes");
  return config;
}

}  // namespace byteformer::interop
