// The keys of a published configuration that describe the model; and what the shapes of weights tell.
#include "interop/partial_config.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
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
  format::PartialConfig config = read_published_model(YamlFile(yaml_text, source));
  config.masking = Masking::kReleased;  // what the published code computes, whatever it reads
  return config;
}

namespace {

using base::fail;
using format::shape_text;
using format::TensorView;

constexpr const char* kPositionTable = "pos_embed.pos_embed.pos_embed";

class ShapeInference {
 public:
  ShapeInference(format::PartialConfig said, const format::Tensors& tensors, const std::string& config_source)
      : config_(std::move(said)), tensors_(tensors), config_source_(config_source) {}

  format::PartialConfig run() {
    const auto embeddings = shape_of("embeddings.weight", 2);
    agree(config_.vocab_size, "vocab_size", embeddings[0], "embeddings.weight");
    agree(config_.hidden_size, "hidden_size (YAML: mode)", embeddings[1], "embeddings.weight");
    infer_kernel();
    infer_positions();
    infer_layers();
    agree(config_.intermediate_size, "intermediate_size (YAML: mode)",
          shape_of("transformer.0.pre_norm_ffn.1.weight", 2)[0], "transformer.0.pre_norm_ffn.1.weight");
    infer_heads();
    infer_labels();
    return std::move(config_);
  }

 private:
  const TensorView* find(const std::string& name) const {
    const auto found = tensors_.by_name.find(name);
    return found == tensors_.by_name.end() ? nullptr : &found->second;
  }

  const std::vector<std::int64_t>& shape_of(const std::string& name, std::size_t rank) const {
    const TensorView* tensor = find(name);
    if (tensor == nullptr)
      fail(ErrorCode::kInvalidModel, base::About{tensors_.source}, "has no tensor ", name, "; ", names_present());
    if (tensor->shape.size() != rank)
      fail(ErrorCode::kInvalidModel, base::About{tensors_.source}, "tensor ", name, " has shape ",
           shape_text(tensor->shape), ", expected ", rank, " dimensions");
    return tensor->shape;
  }

  std::string names_present() const {
    if (tensors_.by_name.empty()) return "it has no tensors at all";
    return joined("its ", tensors_.by_name.size(), " tensors begin with ",
                  base::excerpt(tensors_.by_name.begin()->first), "; is it a ByteFormer?");
  }

  [[noreturn]] void contradict(std::string_view said, std::string_view found) const {
    fail(ErrorCode::kInvalidModel, config_source_, " says ", said, ", but ", base::printable(tensors_.source), " has ",
         found, "; is this the configuration of these weights?");
  }

  /// Takes `found` for what was not said, and refuses another value that was.
  void agree(std::optional<std::int64_t>& said, std::string_view key, std::int64_t found,
             const std::string& name) const {
    if (said && *said != found) contradict(joined(key, ' ', *said), joined(name, ' ', shape_text(find(name)->shape)));
    said = found;
  }

  void infer_kernel() {
    const std::string name = "token_reduction_net.weight";
    if (find(name) != nullptr) return agree(config_.conv_kernel_size, "conv_kernel_size", shape_of(name, 3)[2], name);
    if (config_.conv_kernel_size.value_or(0) != 0)
      contradict(joined("conv_kernel_size ", *config_.conv_kernel_size), "no tensor " + name);
    config_.conv_kernel_size = 0;
  }

  void infer_positions() {
    if (find(kPositionTable) != nullptr)
      return agree(config_.max_position_embeddings, "max_position_embeddings (YAML: max_num_tokens)",
                   shape_of(kPositionTable, 4)[2], kPositionTable);
    if (config_.position_embedding != format::PositionEmbedding::kSinusoidal)
      fail(ErrorCode::kInvalidModel, base::About{tensors_.source}, "has no tensor ", kPositionTable, ", and ",
           config_source_,
           " does not say that positions are sinusoidal (position_embedding_type; YAML: sinusoidal_pos_emb)");
    if (!config_.max_position_embeddings) config_.max_position_embeddings = kUnsaidPositions;
  }

  void infer_layers() {
    shape_of("transformer.0.pre_norm_mha.0.weight", 1);
    std::int64_t num_layers = 1;
    while (find(joined("transformer.", num_layers, ".pre_norm_mha.0.weight")) != nullptr) ++num_layers;
    if (config_.num_hidden_layers && *config_.num_hidden_layers != num_layers)
      contradict(joined("num_hidden_layers (YAML: mode) ", *config_.num_hidden_layers),
                 joined(num_layers, " layers (transformer.0 to transformer.", num_layers - 1, ')'));
    config_.num_hidden_layers = num_layers;
    std::vector<bool> merges;
    for (std::int64_t i = 0; i < num_layers; ++i) merges.push_back(find(merge_name(i)) != nullptr);
    if (config_.downsample && config_.downsample->size() == merges.size()) {
      const auto differs = std::ranges::mismatch(*config_.downsample, merges).in2;
      if (differs != merges.end()) contradict_merge(differs - merges.begin(), *differs);
    }
    if (!config_.downsample) config_.downsample = std::move(merges);
  }

  static std::string merge_name(std::int64_t layer) {
    return joined("downsamplers.downsample_", layer, ".reduction.weight");
  }

  [[noreturn]] void contradict_merge(std::int64_t layer, bool is_there) const {
    contradict(joined("downsample[", layer, "] is ", is_there ? "false" : "true"),
               (is_there ? "the tensor " : "no tensor ") + merge_name(layer));
  }

  void infer_heads() {
    if (config_.num_attention_heads) return;
    const auto* preset = std::ranges::find(kPresets, *config_.hidden_size, &Preset::hidden_size);
    if (preset == kPresets.end())
      fail(ErrorCode::kInvalidModel, base::About{config_source_}, "num_attention_heads is missing, and no tensor of ",
           base::printable(tensors_.source), " tells it; add it (a YAML file says it through mode; hidden_size ",
           *config_.hidden_size, " is that of no published mode)");
    config_.num_attention_heads = preset->num_attention_heads;
  }

  void infer_labels() {
    const std::string name = "classifier.weight";
    const std::int64_t num_labels = shape_of(name, 2)[0];
    agree(config_.num_labels, "num_labels (YAML: n_classes)", num_labels, name);
    if (config_.labels && static_cast<std::int64_t>(config_.labels->size()) != num_labels)
      contradict(joined("id2label with ", config_.labels->size(), " labels"),
                 joined(name, ' ', shape_text(find(name)->shape)));
  }

  format::PartialConfig config_;
  const format::Tensors& tensors_;
  const std::string& config_source_;
};

}  // namespace

format::PartialConfig infer_from_shapes(const format::PartialConfig& said, const format::Tensors& tensors,
                                        const std::string& config_source) {
  return ShapeInference(said, tensors, config_source).run();
}

}  // namespace byteformer::interop
