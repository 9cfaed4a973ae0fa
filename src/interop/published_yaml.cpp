// The keys of a published configuration that describe the model.
#include "interop/published_yaml.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "interop/shape_inference.hpp"
#include "interop/yaml_file.hpp"

namespace byteformer::interop {
namespace {

using base::joined;

constexpr const char* kSection = "model.classification.byteformer.";

void apply_mode(const YamlFile& yaml, format::PartialConfig& config) {
  const auto mode = yaml.choice(joined(kSection, "mode"), {"tiny", "small", "base", "huge"}, ErrorCode::kInvalidFormat);
  if (!mode) return;
  const auto* preset = std::ranges::find(kPresets, *mode, &Preset::name);
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

format::PartialConfig read_published_model(const YamlFile& yaml) {
  // Another value would make another model of the same tensors.
  yaml.choice("model.classification.name", {"byteformer"});
  yaml.choice("model.activation.name", {"gelu"});
  yaml.choice("model.layer.global_pool", {"mean"});
  yaml.choice(joined(kSection, "norm_layer"), {"layer_norm", "layer_norm_fp32"});
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

format::PartialConfig parse_published_yaml(std::string_view yaml_text, const std::string& source) {
  // Dropout, initialisation and all sections but `model` change nothing about inference and are not looked at.
  return read_published_model(YamlFile(yaml_text, source));
}

}  // namespace byteformer::interop
