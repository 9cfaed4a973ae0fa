// A model's summary as JSON, with every count as a whole number.
#include "base/text.hpp"
#include "format/json.hpp"
#include "inspect/model_summary.hpp"
#include "model/weights.hpp"
#include "output/json.hpp"

namespace byteformer::cli {
namespace {

void write_config(JsonWriter& json, const format::ModelConfig& config) {
  const bool is_learned = config.position_embedding == format::PositionEmbedding::kLearned;
  json.key("config").begin_object();
  json.field("hidden_size", config.hidden_size).field("num_hidden_layers", config.num_hidden_layers);
  json.field("num_attention_heads", config.num_attention_heads).field("intermediate_size", config.intermediate_size);
  json.field("conv_kernel_size", config.conv_kernel_size).field("stride", config.stride());
  json.field("max_position_embeddings", config.max_position_embeddings);
  json.field("position_embedding_type", is_learned ? "learned" : "sinusoidal");
  json.field("masking", format::to_string(config.masking)).field("num_labels", config.num_labels).end_object();
}

void write_parameters(JsonWriter& json, const ParameterCounts& counts) {
  json.key("parameters").begin_object().field("total", counts.total).field("positions", counts.positions);
  json.field("classifier", counts.classifier);
  json.field("without_positions_and_classifier", counts.without_positions_and_classifier()).end_object();
}

void write_preprocess(JsonWriter& json, const ModelSummary& summary) {
  json.field("reads", prepare::describe(summary.preprocess));
  json.key("preprocess")
      .json(summary.config.preprocess.empty() ? "null"
                                              : format::parse_json(summary.config.preprocess, summary.source).dump());
  json.key("keys").begin_array();
  for (const bytes::BytePermutation& permutation : summary.preprocess.transforms.permutations)
    if (!permutation.seed()) json.value(permutation.fingerprint());
  json.end_array();
}

void write_tensors(JsonWriter& json, const format::ModelConfig& config) {
  json.key("tensors").begin_array();
  for (const model::TensorSpec& spec : model::tensor_specs(config)) {
    json.begin_object().field("name", spec.name).key("shape").begin_array();
    for (const std::int64_t size : spec.shape) json.value(size);
    json.end_array().end_object();
  }
  json.end_array();
}

void write_layers(JsonWriter& json, const ModelSummary& summary) {
  json.key("layers").begin_array();
  for (std::size_t i = 0; i < summary.cost.layers.size(); ++i) {
    const model::LayerCost& layer = summary.cost.layers[i];
    json.begin_object().field("layer", i).field("rows", layer.num_rows).field("filler_rows", layer.num_filler_rows);
    json.field("window_size", summary.config.window_sizes[i]).field("window_shift", summary.config.window_shifts[i]);
    json.field("windows", layer.num_windows).field("merges", static_cast<bool>(summary.config.downsample[i]));
    json.field("parameters", summary.parameters.layers[i]);
    json.key("multiply_adds").begin_object().field("qkv", layer.qkv).field("scores", layer.scores);
    json.field("values", layer.values).field("out", layer.out).field("feed_forward", layer.feed_forward);
    json.field("merge", layer.merge).field("as_run", layer.total_as_run).end_object().end_object();
  }
  json.end_array();
}

void write_multiply_adds(JsonWriter& json, const model::FileCost& cost) {
  json.key("multiply_adds").begin_object().field("published", cost.total_published);
  json.field("byte_table", cost.total_byte_table).field("as_run", cost.total_as_run);
  json.field("stem_dense", cost.stem_dense).field("head", cost.head).end_object();
  json.field("stem_table_additions", cost.stem_table_adds).field("table_build_multiply_adds", cost.table_build);
}

}  // namespace

std::string summary_json(const ModelSummary& summary) {
  JsonWriter json;
  json.begin_object().field("model", base::escape_bytes(summary.source));
  write_config(json, summary.config);
  write_parameters(json, summary.parameters);
  write_preprocess(json, summary);
  write_tensors(json, summary.config);
  json.key("file").begin_object().field("bytes", summary.cost.num_bytes).field("tokens", summary.cost.num_tokens);
  json.field("fits_positions", summary.fits_positions());
  write_layers(json, summary);
  write_multiply_adds(json, summary.cost);
  return json.end_object().end_object().text() + "\n";
}

}  // namespace byteformer::cli
