// What inspect shows of a model, for people and as JSON.
#include "inspect/model_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "format/json.hpp"
#include "model/weights.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "output/table.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

namespace {

std::int64_t num_elements(const model::TensorSpec& spec) {
  std::int64_t product = 1;
  for (const std::int64_t size : spec.shape) product *= size;
  return product;
}

/// The layer that a tensor like "transformer.3.pre_norm_ffn.1.bias" belongs to; -1 if none.
std::int64_t layer_of(const std::string& name) {
  for (const std::string prefix : {"transformer.", "downsamplers.downsample_"})
    if (name.starts_with(prefix)) return std::stoll(name.substr(prefix.size()));
  return -1;
}

std::string shape(std::int64_t rows, std::int64_t columns) { return fmt::format("[{}, {}]", rows, columns); }

std::string architecture(const format::ModelConfig& config) {
  const std::string stem = config.conv_kernel_size == 0
                               ? "no convolution"
                               : fmt::format("kernel {}, stride {}", config.conv_kernel_size, config.stride());
  const bool is_learned = config.position_embedding == format::PositionEmbedding::kLearned;
  return fmt::format(
      "{} layers, hidden size {}, {} of {}, feed-forward {}\n  {}, {} {} positions, {}, masking {}\n",
      config.num_hidden_layers, config.hidden_size, counted(config.num_attention_heads, "head"), config.head_dim(),
      config.intermediate_size, stem, grouped(config.max_position_embeddings), is_learned ? "learned" : "sinusoidal",
      config.num_labels == 1 ? "1 class" : grouped(config.num_labels) + " classes", format::to_string(config.masking));
}

std::string parameters(const ParameterCounts& counts) {
  return fmt::format("{}, of which {} positions and {} classifier: {} without these\n", grouped(counts.total),
                     grouped(counts.positions), grouped(counts.classifier),
                     grouped(counts.without_positions_and_classifier()));
}

/// How files are prepared, and the keys that this takes.
std::string files_text(const prepare::Preprocess& preprocess) {
  std::string text = "Reads       " + prepare::describe(preprocess) + "\n";
  for (const bytes::BytePermutation& permutation : preprocess.transforms.permutations)
    if (!permutation.seed()) text += "Key         " + permutation.fingerprint() + "\n";
  return text;
}

std::int64_t published_cost(const model::LayerCost& layer) {
  return layer.qkv + layer.scores + layer.values + layer.out + layer.feed_forward + layer.merge;
}

std::string layer_table(const ModelSummary& summary) {
  using Align = Table::Align;
  const format::ModelConfig& config = summary.config;
  const model::FileCost& cost = summary.cost;
  Table table({{"layer", Align::kLeft},
               {"rows", Align::kLeft},
               {"window"},
               {"shift"},
               {"windows"},
               {"filler"},
               {"parameters"},
               {"published"},
               {"as run"},
               {"", Align::kLeft}});
  table.add_row({"stem", shape(cost.num_tokens, config.hidden_size), "", "", "", "", grouped(summary.parameters.stem),
                 scaled(static_cast<double>(cost.stem_dense)), "0",
                 fmt::format("{} additions", scaled(static_cast<double>(cost.stem_table_adds)))});
  std::int64_t rows = cost.num_tokens;
  for (std::size_t i = 0; i < cost.layers.size(); ++i) {
    const model::LayerCost& layer = cost.layers[i];
    rows = config.downsample[i] ? (layer.num_rows + 1) / 2 : layer.num_rows;
    const std::string merge = config.downsample[i] ? "merge to " + shape(rows, config.hidden_size) : "";
    table.add_row({std::to_string(i), shape(layer.num_rows, config.hidden_size), grouped(config.window_sizes[i]),
                   grouped(config.window_shifts[i]), grouped(layer.num_windows), grouped(layer.num_filler_rows),
                   grouped(summary.parameters.layers[i]), scaled(static_cast<double>(published_cost(layer))),
                   scaled(static_cast<double>(layer.total_as_run)), merge});
  }
  const std::string head_cost = scaled(static_cast<double>(cost.head));
  table.add_row({"head", shape(rows, config.hidden_size), "", "", "", "",
                 grouped(summary.parameters.classifier + 2 * config.hidden_size), head_cost, head_cost,
                 fmt::format("mean to [{}], logits [{}]", config.hidden_size, config.num_labels)});
  return table.text();
}

std::string totals(const model::FileCost& cost) {
  const auto line = [](std::int64_t count, const char* meaning) {
    return fmt::format("  {:>10}  {}\n", scaled(static_cast<double>(count)), meaning);
  };
  return "Multiply-adds\n" + line(cost.total_published, "as published: dense convolution, filler rows included") +
         line(cost.total_byte_table, "with the byte table in place of the convolution") +
         line(cost.total_as_run, "as run here: byte table, no filler rows");
}

}  // namespace

ParameterCounts count_parameters(const format::ModelConfig& config) {
  ParameterCounts counts;
  counts.layers.resize(static_cast<std::size_t>(config.num_hidden_layers));
  for (const model::TensorSpec& spec : model::tensor_specs(config)) {
    if (model::is_buffer(config, spec)) continue;
    const std::int64_t size = num_elements(spec);
    counts.total += size;
    if (const std::int64_t layer = layer_of(spec.name); layer >= 0)
      counts.layers[static_cast<std::size_t>(layer)] += size;
    if (spec.name.starts_with("pos_embed.")) counts.positions += size;
    if (spec.name.starts_with("classifier.")) counts.classifier += size;
    if (spec.name.starts_with("embeddings.") || spec.name.starts_with("token_reduction_net.")) counts.stem += size;
  }
  return counts;
}

bool ModelSummary::fits_positions() const {
  return config.position_embedding == format::PositionEmbedding::kSinusoidal ||
         cost.num_tokens <= config.max_position_embeddings;
}

std::int64_t typical_num_bytes(const format::ModelConfig& config, const prepare::Preprocess& preprocess) {
  constexpr std::int64_t kTiffBytes = 150'668;
  const auto typical = static_cast<std::int64_t>(prepare::typical_prepared_bytes(preprocess).value_or(kTiffBytes));
  if (config.position_embedding == format::PositionEmbedding::kSinusoidal) return typical;
  return std::min(typical, config.max_position_embeddings * config.stride());
}

ModelSummary summarise(const std::string& source, const format::ModelConfig& config,
                       std::optional<std::int64_t> num_bytes) {
  const prepare::Preprocess preprocess = prepare::parse_preprocess(config.preprocess, source + ": preprocess");
  return {source, config, preprocess, count_parameters(config),
          model::file_cost(config, num_bytes.value_or(typical_num_bytes(config, preprocess)))};
}

std::string summary_text(const ModelSummary& summary) {
  const model::FileCost& cost = summary.cost;
  std::string text = fmt::format("Model       {}\n  {}Parameters  {}", base::printable(summary.source),
                                 architecture(summary.config), parameters(summary.parameters));
  text += files_text(summary.preprocess);
  text += fmt::format("File        {} become {}", counted(cost.num_bytes, "byte"), counted(cost.num_tokens, "token"));
  if (!summary.fits_positions())
    text += fmt::format(", more than the {} positions: too long to classify",
                        grouped(summary.config.max_position_embeddings));
  return text + "\n\n" + layer_table(summary) + "\n" + totals(cost);
}

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
