// Import: weights, labels and configuration to a model folder. Export: a model folder to one weights file. Rekey: a
// model folder to one whose byte embedding has its rows permuted, so that it reads obfuscated bytes.
#include "interop/import_export.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/text.hpp"
#include "format/safetensors.hpp"
#include "interop/checkpoint.hpp"
#include "interop/partial_config.hpp"
#include "kernels/kernels.hpp"
#include "model/weights.hpp"
#include "nn/positions.hpp"

namespace byteformer::interop {

constexpr std::size_t kMaxFileBytes = 64 << 20;  // of labels, and of a configuration

std::vector<std::string> parse_labels(std::string_view text, const std::string& source) {
  if (text.starts_with(base::kByteOrderMark)) text.remove_prefix(base::kByteOrderMark.size());
  std::vector<std::string> labels;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t number = labels.size() + 1;
    if (line.empty()) base::fail_format(source, "line ", number, " is empty, expected one label a line");
    if (!base::is_utf8(line)) base::fail_format(source, "line ", number, " is not UTF-8: \"", base::excerpt(line), '"');
    labels.emplace_back(line);
  }
  return labels;
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  return parse_labels(base::read_text_file(path, kMaxFileBytes), base::printable(path));
}

namespace {

bool is_yaml(const std::filesystem::path& path, std::string_view text) {
  const auto extension = path.extension();
  if (extension == ".yaml" || extension == ".yml") return true;
  if (extension == ".json") return false;
  const auto start = text.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && text[start] != '{';
}

void use_labels_file(const std::filesystem::path& path, const format::Tensors& tensors, format::PartialConfig& config) {
  config.labels = read_labels(path);
  const auto num_lines = static_cast<std::int64_t>(config.labels->size());
  if (num_lines != *config.num_labels)
    base::fail(ErrorCode::kInvalidModel, base::About{path.native()}, "has ", num_lines, " labels, but ",
               base::printable(tensors.source), " tells ", *config.num_labels,
               " classes apart; expected one label a line, in the order of the classes");
}

/// The published module keeps sinusoidal positions as a buffer, which a strict load wants; a folder may lack it.
std::vector<float> sinusoidal_buffer(const format::ModelConfig& config) {
  const auto num_rows = static_cast<std::size_t>(config.max_position_embeddings);
  const auto hidden = static_cast<std::size_t>(config.hidden_size);
  const auto positions = nn::Positions::sinusoidal({}, num_rows, hidden);
  std::vector<float> row(kernels::padded(hidden));
  std::vector<float> buffer;
  buffer.reserve(num_rows * hidden);
  for (std::size_t t = 0; t < num_rows; ++t) {
    const float* values = positions.rows(t, 1, row.data());
    buffer.insert(buffer.end(), values, values + hidden);
  }
  return buffer;
}

}  // namespace

format::PartialConfig read_any_config(const std::filesystem::path& path) {
  const std::string text = base::read_text_file(path, kMaxFileBytes);
  const std::string source = base::printable(path);
  return is_yaml(path, text) ? parse_published_yaml(text, source) : format::parse_partial_config(text, source);
}

format::ModelConfig import_model(const ImportOptions& options) {
  const std::string source = base::printable(options.config);
  format::PartialConfig said = read_any_config(options.config);
  if (options.labels) said.labels.reset();
  if (options.masking) said.masking = options.masking;
  if (!said.masking) said.masking = Masking::kReleased;  // what every published checkpoint was trained with
  const format::Tensors tensors = read_weights(options.weights);
  format::PartialConfig known = infer_from_shapes(said, tensors, source);
  if (options.labels) use_labels_file(*options.labels, tensors, known);
  format::ModelConfig config = format::complete(known, source);
  model::check_tensors(config, tensors);
  format::write_model_folder(options.output, config, tensors.by_name);
  return config;
}

void export_model(const std::filesystem::path& model, ExportFormat format, const std::filesystem::path& output,
                  const base::WriteOptions& options) {
  format::ModelFolder folder = format::read_model_folder(model);
  if (format == ExportFormat::kOnnx) return export_onnx(folder, output, options);
  auto& [path, config, tensors] = folder;
  model::check_tensors(config, tensors);
  std::vector<float> buffer;
  for (const model::TensorSpec& spec : model::tensor_specs(config)) {
    if (!spec.optional || tensors.by_name.contains(spec.name)) continue;
    buffer = sinusoidal_buffer(config);
    tensors.by_name[spec.name] = {format::DType::kF32, spec.shape, std::as_bytes(std::span(buffer))};
  }
  switch (format) {
    case ExportFormat::kPt: return write_pt(output, tensors.by_name, options);
    case ExportFormat::kOnnx: break;
    case ExportFormat::kSafetensors:
      return format::write_safetensors(output, tensors.by_name, {{"format", "pt"}}, options);
  }
}

namespace {

constexpr const char* kEmbedding = "embeddings.weight";  // [257, hidden_size]: 256 byte values and the padding id

/// \param rows  [257, any], rows of one size
std::vector<std::byte> permuted_rows(std::span<const std::byte> rows, std::size_t num_rows,
                                     const bytes::ByteTable& table) {
  const std::size_t row_bytes = rows.size() / num_rows;
  std::vector<std::byte> permuted(rows.begin(), rows.end());
  for (std::size_t value = 0; value < table.size(); ++value)
    std::ranges::copy(rows.subspan(value * row_bytes, row_bytes), permuted.begin() + table[value] * row_bytes);
  return permuted;
}

prepare::Preprocess rekeyed(prepare::Preprocess preprocess, const RekeyOptions& options) {
  std::vector<bytes::BytePermutation>& permutations = preprocess.transforms.permutations;
  if (!permutations.empty() && !options.adds_to_keys)
    base::fail(ErrorCode::kInvalidArgument, base::About{options.model.native()}, "is keyed already: it reads ",
               prepare::describe(preprocess), "; --again puts the new key on top");
  permutations.push_back(options.key);
  prepare::parse_preprocess(prepare::to_json(preprocess),
                            base::printable(options.model) + ": preprocess with the new key");
  return preprocess;
}

}  // namespace

prepare::Preprocess rekey_model(const RekeyOptions& options) {
  auto [path, config, tensors] = format::read_model_folder(options.model);
  model::check_tensors(config, tensors);
  const prepare::Preprocess preprocess = rekeyed(prepare::read_preprocess(options.model), options);
  format::TensorView& embedding = tensors.by_name.at(kEmbedding);
  const std::vector<std::byte> rows =
      permuted_rows(embedding.bytes, static_cast<std::size_t>(config.vocab_size), options.key.table());
  embedding.bytes = rows;
  config.preprocess = prepare::to_json(preprocess);
  format::write_model_folder(options.output, config, tensors.by_name);
  return preprocess;
}

}  // namespace byteformer::interop
