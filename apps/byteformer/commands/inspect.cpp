// `byteformer inspect`: a model's shapes and costs, or this machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "base/processors.hpp"
#include "base/text.hpp"
#include "byteformer/version.hpp"
#include "commands/commands.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "interop/import_export.hpp"
#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "model/cost.hpp"
#include "model/weights.hpp"
#include "output/json.hpp"
#include "output/text.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"("Reads" is what files are prepared as before the model sees them, and what then becomes of their bytes; "Key" is the
fingerprint of a secret key that is needed for it.

The costs are multiply-adds for one file of --bytes bytes. "published" is the dense formulation of the
published code, with the rows that it appends to fill the last window; "as run" is what this engine computes: a
table of byte values in place of the convolution, and no appended rows.

Examples:
  byteformer inspect --model models/cifar10
  byteformer inspect --model config.yaml --bytes 48564
  byteformer inspect --model models/cifar10 --json | jq .file.multiply_adds
  byteformer inspect --system)";

/// Numbers in the model's tensors.
struct ParameterCounts {
  std::int64_t total = 0;
  std::int64_t stem = 0;             ///< embedding and convolution
  std::int64_t positions = 0;        ///< learned, or the buffer of sinusoids
  std::int64_t classifier = 0;       ///< the last linear layer
  std::vector<std::int64_t> layers;  ///< blocks with the merges that follow them
  std::int64_t without_positions_and_classifier() const { return total - positions - classifier; }
};

struct ModelSummary {
  std::string source;  ///< where the configuration was read
  format::ModelConfig config;
  prepare::Preprocess preprocess;  ///< what config.preprocess says
  ParameterCounts parameters;
  model::FileCost cost;

  bool fits_positions() const {
    return config.position_embedding == format::PositionEmbedding::kSinusoidal ||
           cost.num_tokens <= config.max_position_embeddings;
  }
};

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
  return fmt::format("{} layers, hidden size {}, {} of {}, feed-forward {}\n  {}, {} {} positions, {}, masking {}\n",
                     config.num_hidden_layers, config.hidden_size, counted(config.num_attention_heads, "head"),
                     config.head_dim(), config.intermediate_size, stem, grouped(config.max_position_embeddings),
                     format::to_string(config.position_embedding),
                     config.num_labels == 1 ? "1 class" : grouped(config.num_labels) + " classes",
                     format::to_string(config.masking));
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

void write_config(JsonWriter& json, const format::ModelConfig& config) {
  json.key("config").begin_object();
  json.field("hidden_size", config.hidden_size).field("num_hidden_layers", config.num_hidden_layers);
  json.field("num_attention_heads", config.num_attention_heads).field("intermediate_size", config.intermediate_size);
  json.field("conv_kernel_size", config.conv_kernel_size).field("stride", config.stride());
  json.field("max_position_embeddings", config.max_position_embeddings);
  json.field("position_embedding_type", format::to_string(config.position_embedding));
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
  json.key("tensors").array(model::tensor_specs(config), [&](const model::TensorSpec& spec) {
    json.begin_object().field("name", spec.name).key("shape").array(spec.shape).end_object();
  });
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

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

/// Those in which this machine computes faster than in float32, and float32.
std::vector<std::string_view> precisions() {
  std::vector<std::string_view> names = {to_string(Precision::kFloat32)};
  for (const kernels::ReducedKernels* reduced : kernels::available_reduced_kernels(kernels::default_kernels()))
    if (names.back() != to_string(reduced->precision)) names.push_back(to_string(reduced->precision));
  return names;
}

std::vector<std::pair<std::string, std::string>> libraries() {
  return {{"CLI11", parser_version()},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
}

std::string system_text() {
  const std::string_view in_use = kernels::default_kernels().name;
  std::string instruction_sets;
  for (const kernels::Kernels* available : kernels::available_kernels())
    instruction_sets += fmt::format("{}{}{}", instruction_sets.empty() ? "" : ", ", available->name,
                                    available->name == in_use ? " (in use)" : "");
  std::string built_with = compiler();
  for (const auto& [name, version] : libraries()) built_with += fmt::format(", {} {}", name, version);
  return fmt::format(
      "byteformer         {}\n"
      "instruction sets   {}\n"
      "precisions         {}\n"
      "processor          {}\n"
      "processors to use  {}\n"
      "memory             {}\n"
      "system             {}\n"
      "built with         {}\n",
      version(), instruction_sets, fmt::join(precisions(), ", "), processor_name(), base::num_processors(),
      memory_size(physical_memory()), operating_system(), built_with);
}

std::string system_json() {
  JsonWriter json;
  json.begin_object().field("version", version());
  json.key("instruction_sets").array(kernels::available_kernels(), [&](const auto* set) { json.value(set->name); });
  json.field("instruction_set_in_use", kernels::default_kernels().name).key("precisions").array(precisions());
  json.field("processor", processor_name()).field("processors", base::num_processors());
  json.field("memory_bytes", physical_memory()).field("system", operating_system()).field("compiler", compiler());
  json.key("libraries").begin_object();
  for (const auto& [name, version] : libraries()) json.field(name, version);
  return json.end_object().end_object().text() + "\n";
}

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;

struct Options {
  std::optional<std::string> model, masking;
  std::optional<std::int64_t> num_bytes;
  bool system = false, json = false;
};

format::ModelConfig read_config(const std::filesystem::path& path) {
  if (base::is_folder(path)) return format::read_config(path);
  return format::complete(interop::read_any_config(path), base::printable(path));
}

int inspect(const Options& options, Console& console) {
  if (options.system) {
    console.out << (options.json ? system_json() : system_text());
    return kExitOk;
  }
  if (!options.model) throw UsageError(base::joined(kModelOption, " or --system is required"));
  format::ModelConfig config = read_config(*options.model);
  config.masking = masking_of(options.masking).value_or(config.masking);
  const ModelSummary summary = summarise(*options.model, config, options.num_bytes);
  console.out << (options.json ? summary_json(summary) : summary_text(summary));
  return kExitOk;
}

}  // namespace

Action add_inspect(CommandLine& line) {
  auto options = std::make_shared<Options>();
  const Option& model = add_text(line, base::joined("-m,", kModelOption), options->model, "DIR|CONFIG",
                                 "Model folder, or a configuration: config.json or published YAML");
  const Option& bytes =
      add_number(line, kBytesOption, options->num_bytes, {1, kMaxBytes},
                 "Length of the file (default: of one that is prepared for the model, else 150668, or what fits)");
  add_masking_option(line, options->masking);
  add_flag(line, "--system", options->system, "Show this machine: instruction sets, processors, versions")
      .excludes(model)
      .excludes(bytes);
  add_setting(line, &plan::Request::json, options->json, "Write JSON, every count as a whole number");
  line.details = kDetails;
  return [options](Console& console) { return inspect(*options, console); };
}

}  // namespace byteformer::cli
