// The forward pass as an ONNX graph. Comments give shapes: B files of a batch, L bytes, N rows, C channels.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "interop/import_export.hpp"
#include "interop/onnx/graph.hpp"
#include "model/weights.hpp"
#include "nn/geometry.hpp"
#include "nn/positions.hpp"

namespace byteformer::interop {
namespace {

using onnx::Graph;
using onnx::Number;
using onnx::Value;

constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // of a protocol buffer

class Exporter {
 public:
  Exporter(const format::ModelConfig& config, const format::Tensors& tensors) : config_(config), tensors_(tensors) {}

  onnx::proto::Graph build() && {
    const Value files = graph_.input("files", onnx::proto::Tensor::UINT8, {"batch", "bytes"});
    Value x = add_positions(stem(files));
    for (std::size_t i = 0; i < config_.window_sizes.size(); ++i) {
      const std::string layer = "transformer." + std::to_string(i);
      x = config_.masking == Masking::kMasked ? masked_layer(x, i, layer) : released_layer(x, i, layer);
      if (config_.downsample[i]) x = merge(x, "downsamplers.downsample_" + std::to_string(i));
    }
    const Value mean =
        add("ReduceMean", {norm(x, "post_transformer_norm")}, {{"axes", {1}}, {"keepdims", std::int64_t{0}}});
    graph_.output(linear(mean, "classifier"), "logits", {"batch"}, config_.num_labels);
    graph_.message().set_name("byteformer");
    return std::move(graph_.message());
  }

 private:
  Value add(std::string_view op, std::initializer_list<Value> inputs,
            std::initializer_list<onnx::Attribute> attributes = {}) {
    return graph_.add(op, inputs, attributes);
  }
  Value plus(const Value& a, const Value& b) { return add("Add", {a, b}); }

  Value weight(const std::string& name) {
    const format::TensorView& tensor = tensors_.by_name.find(name)->second;  // check_tensors() has seen it
    return graph_.weight(name, tensor.shape, format::to_float32(tensor, name));
  }

  Value linear(const Value& x, const std::string& name, bool has_bias = true) {
    const Value product = add("MatMul", {x, graph_.transpose(weight(name + ".weight"), {1, 0})});
    return has_bias ? plus(product, weight(name + ".bias")) : product;
  }

  Value norm(const Value& x, const std::string& name) {
    return add("LayerNormalization", {x, weight(name + ".weight"), weight(name + ".bias")},
               {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(config_.layer_norm_eps)}});
  }

  /// [B, L] bytes to [B, N, C]. Bytes beyond the file are zero rows of the embedding.
  Value stem(const Value& files) {
    const Value ids = add("Cast", {files}, {{"to", std::int64_t{onnx::proto::Tensor::INT64}}});
    const Value rows = add("Gather", {weight("embeddings.weight"), ids}, {{"axis", std::int64_t{0}}});
    if (config_.conv_kernel_size == 0) return rows;
    const nn::TokenGeometry tokens(config_.conv_kernel_size, config_.masking);
    const Number length = graph_.dimension(files, 1);
    const Number beyond = at_least(tokens.num_ids(tokens.num_tokens(length)), length) - length;
    const Value padded = graph_.transpose(graph_.pad_rows(rows, graph_.number(0), beyond), {0, 2, 1});
    const auto stride = static_cast<std::int64_t>(tokens.stride());
    return graph_.transpose(add("Conv", {padded, weight("token_reduction_net.weight")}, {{"strides", {stride}}}),
                            {0, 2, 1});
  }

  Value add_positions(const Value& x) {
    const Value num_rows = graph_.dimension(x, 1);
    if (config_.position_embedding == format::PositionEmbedding::kSinusoidal) return plus(x, sinusoids(num_rows));
    const Value all = graph_.reshape(weight("pos_embed.pos_embed.pos_embed"), {-1, config_.hidden_size});
    return plus(x, graph_.slice(all, graph_.number(0), num_rows, 0));
  }

  /// [N, C]: sines, then cosines, of the position times falling frequencies.
  Value sinusoids(const Value& num_rows) {
    const auto positions_of_engine = nn::Positions::sinusoidal({}, 0, static_cast<std::size_t>(config_.hidden_size));
    const Value frequencies =
        graph_.weight("frequencies", {config_.hidden_size / 2}, positions_of_engine.frequencies());
    const Value positions = add("Cast", {range(num_rows)}, {{"to", std::int64_t{onnx::proto::Tensor::FLOAT}}});
    const Value angles = add("Mul", {graph_.reshape(positions, {-1, 1}), frequencies});
    return add("Concat", {add("Sin", {angles}), add("Cos", {angles})}, {{"axis", std::int64_t{1}}});
  }

  /// 0, 1, ..., count - 1.
  Value range(const Value& count) {
    return add("Range",
               {add("Squeeze", {graph_.number(0)}), add("Squeeze", {count}), add("Squeeze", {graph_.number(1)})});
  }

  /// Rows beyond the end are zero and take part; the windows' cuts are moved by rolling the rows round.
  Value released_layer(const Value& x, std::size_t i, const std::string& name) {
    const nn::WindowGeometry windows = windows_of(i);
    const Number num_rows = graph_.dimension(x, 1);
    const Number num_padded = windows.num_padded(num_rows);
    Value rows = graph_.pad_rows(x, graph_.number(0), num_padded - num_rows);
    if (windows.shift() > 0) rows = roll(rows, number(windows.shift()));
    rows = block(rows, config_.window_sizes[i], std::nullopt, name);
    if (windows.shift() > 0) rows = roll(rows, num_padded - windows.shift());
    return graph_.slice(rows, graph_.number(0), num_rows, 1);
  }

  /// Rows before the file and beyond it make the first and the last window whole; they are not attended to.
  Value masked_layer(const Value& x, std::size_t i, const std::string& name) {
    const nn::WindowGeometry windows = windows_of(i);
    const Number num_rows = graph_.dimension(x, 1);
    const Number num_padded = windows.num_padded(num_rows);
    const Number before = number(windows.num_before());
    const Number end = num_rows + windows.num_before();
    const Value row = range(num_padded);
    const Value is_file = add("And", {add("GreaterOrEqual", {row, before}), add("Less", {row, end})});
    const Value mask =
        add("Where", {is_file, graph_.scalar(0), graph_.scalar(-std::numeric_limits<float>::infinity())});
    const std::int64_t window = config_.window_sizes[i];
    const Value rows =
        block(graph_.pad_rows(x, before, num_padded - end), window, graph_.reshape(mask, {-1, 1, 1, window}), name);
    return graph_.slice(rows, before, end, 1);
  }

  nn::WindowGeometry windows_of(std::size_t i) const {
    return {config_.window_sizes[i], config_.window_shifts[i], config_.masking};
  }

  Number number(std::size_t value) { return graph_.number(static_cast<std::int64_t>(value)); }

  /// Row `by` becomes the first.
  Value roll(const Value& rows, const Value& by) {
    return add("Concat",
               {graph_.slice(rows, by, graph_.number(kToTheEnd), 1), graph_.slice(rows, graph_.number(0), by, 1)},
               {{"axis", std::int64_t{1}}});
  }

  /// A transformer block on [B, P, C], P a multiple of `window`. `mask` is added to the scores, [windows, 1, 1,
  /// window].
  Value block(const Value& rows, std::int64_t window, const std::optional<Value>& mask, const std::string& name) {
    Value x = graph_.reshape(rows, {0, -1, window, config_.hidden_size});
    x = plus(x, attention(norm(x, name + ".pre_norm_mha.0"), window, mask, name + ".pre_norm_mha.1"));
    const Value hidden = linear(norm(x, name + ".pre_norm_ffn.0"), name + ".pre_norm_ffn.1");
    x = plus(x, linear(gelu(hidden), name + ".pre_norm_ffn.4"));
    return graph_.reshape(x, {0, -1, config_.hidden_size});
  }

  /// Inside each window; [B, windows, window, C] to the same.
  Value attention(const Value& x, std::int64_t window, const std::optional<Value>& mask, const std::string& name) {
    const std::int64_t heads = config_.num_attention_heads, dim = config_.head_dim();
    const Value split = graph_.reshape(linear(x, name + ".qkv_proj"), {0, 0, window, 3, heads, dim});
    // Three of [B, windows, heads, window, dim].
    const Value qkv = graph_.transpose(split, {3, 0, 1, 4, 2, 5});
    const auto part = [&](std::int64_t which) {
      return add("Squeeze", {graph_.slice(qkv, graph_.number(which), graph_.number(which + 1), 0), graph_.number(0)});
    };
    const Value queries = add("Mul", {part(0), graph_.scalar(1 / std::sqrt(static_cast<float>(dim)))});
    Value scores = add("MatMul", {queries, graph_.transpose(part(1), {0, 1, 2, 4, 3})});
    if (mask) scores = plus(scores, *mask);
    const Value mixed = add("MatMul", {add("Softmax", {scores}, {{"axis", std::int64_t{-1}}}), part(2)});
    const Value rows = graph_.transpose(mixed, {0, 1, 3, 2, 4});
    return linear(graph_.reshape(rows, {0, 0, window, config_.hidden_size}), name + ".out_proj");
  }

  Value gelu(const Value& x) {
    const Value erf = add("Erf", {add("Div", {x, graph_.scalar(std::sqrt(2.0F))})});
    return add("Mul", {add("Mul", {x, plus(erf, graph_.scalar(1))}), graph_.scalar(0.5F)});
  }

  /// Two rows become one, channels of both interleaved; a last single row meets a zero row.
  Value merge(const Value& x, const std::string& name) {
    const std::int64_t hidden = config_.hidden_size;
    const Number num_rows = graph_.dimension(x, 1);
    const Number missing = nn::WindowGeometry::pairs().num_padded(num_rows) - num_rows;
    const Value even = graph_.pad_rows(x, graph_.number(0), missing);
    const Value pairs = graph_.transpose(graph_.reshape(even, {0, -1, 2, hidden}), {0, 1, 3, 2});
    return norm(linear(graph_.reshape(pairs, {0, -1, 2 * hidden}), name + ".reduction", false), name + ".norm");
  }

  const format::ModelConfig& config_;
  const format::Tensors& tensors_;
  Graph graph_;
};

/// What the graph cannot say, under the keys of config.json.
void add_metadata(const format::ModelConfig& config, onnx::proto::Model& model) {
  const auto json = nlohmann::json::parse(format::to_json(config));
  for (const char* key : {"id2label", "temperature", "preprocess", "masking"}) {
    if (!json.contains(key)) continue;
    onnx::proto::Metadata& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(json[key].is_string() ? json[key].get<std::string>() : json[key].dump());
  }
}

}  // namespace

void export_onnx(const format::ModelFolder& folder, const std::filesystem::path& output,
                 const base::WriteOptions& options) {
  model::check_tensors(folder.config, folder.tensors);
  std::int64_t num_bytes = 0;
  for (const auto& [name, tensor] : folder.tensors.by_name) num_bytes += 4 * tensor.num_elements();
  if (num_bytes > kMostBytes - (1 << 20))
    base::fail(ErrorCode::kUnsupported, base::About{folder.tensors.source}, "has ", num_bytes,
               " bytes of weights, more than the 2 GB that an ONNX file can hold");
  onnx::proto::Model model;
  model.set_ir_version(8);
  model.set_producer_name("byteformer");
  onnx::proto::OperatorSet& operators = *model.add_opset_import();
  operators.set_version(17);
  add_metadata(folder.config, model);
  *model.mutable_graph() = Exporter(folder.config, folder.tensors).build();
  base::write_file_atomically(output, model.SerializeAsString(), options);
}

}  // namespace byteformer::interop
