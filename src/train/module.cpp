// Implementation of module.hpp.
#include "train/module.hpp"

#include <algorithm>
#include <cmath>

#include "backprop/stem.hpp"
#include "backprop/window_plan.hpp"
#include "byteformer/error.hpp"
#include "format/text.hpp"
#include "kernels/kernels.hpp"
#include "nn/positions.hpp"
#include "train/functions.hpp"

namespace byteformer::train {
namespace {

constexpr const char* kPositions = "pos_embed.pos_embed.pos_embed";

std::size_t size(std::int64_t number) { return static_cast<std::size_t>(number); }

backprop::StemShape stem_shape(const format::ModelConfig& config) {
  return {size(config.hidden_size), {config.conv_kernel_size, config.masking}};
}

std::string block_prefix(std::size_t layer) { return format::joined("transformer.", layer, "."); }
std::string merge_prefix(std::size_t layer) { return format::joined("downsamplers.downsample_", layer, "."); }

bool allows_own_kernels(const format::ModelConfig& config, const ModuleOptions& options) {
  const auto is_aligned = [](std::int64_t n) { return size(n) % kernels::kRowAlignment == 0; };
  return options.use_own_kernels && options.device.is_cpu() && options.compute_type == torch::kFloat32 &&
         options.regularisation.dropout == 0 && options.regularisation.stochastic_depth == 0 &&
         is_aligned(config.hidden_size) && is_aligned(config.intermediate_size);
}

/// The tensors of `parameters` below `prefix`, as pointers to their values or their gradients.
struct Pointers {
  const Parameters& parameters;
  std::string prefix;

  const float* value(const char* name) const { return parameters[prefix + name].data_ptr<float>(); }
  float* gradient(const char* name) const { return parameters[prefix + name].grad().data_ptr<float>(); }
};

template <typename Pointer, typename Get>
backprop::BlockTensors<Pointer> block_tensors(const Get& get) {
  return {get("pre_norm_mha.0.weight"),          get("pre_norm_mha.0.bias"),
          get("pre_norm_mha.1.qkv_proj.weight"), get("pre_norm_mha.1.qkv_proj.bias"),
          get("pre_norm_mha.1.out_proj.weight"), get("pre_norm_mha.1.out_proj.bias"),
          get("pre_norm_ffn.0.weight"),          get("pre_norm_ffn.0.bias"),
          get("pre_norm_ffn.1.weight"),          get("pre_norm_ffn.1.bias"),
          get("pre_norm_ffn.4.weight"),          get("pre_norm_ffn.4.bias")};
}

template <typename Pointer, typename Get>
backprop::MergeTensors<Pointer> merge_tensors(const Get& get) {
  return {get("reduction.weight"), get("norm.weight"), get("norm.bias")};
}

/// Windows as index tensors for LibTorch's operators.
struct WindowIndices {
  torch::Tensor rows;       // [windows * width]: row of x; `num_rows` stands for a filler row
  torch::Tensor places;     // [num_rows]: where each row of x lies among the above
  torch::Tensor is_hidden;  // [windows, 1, 1, width], undefined if every place is a row or a filler
  std::int64_t width = 0;
};

WindowIndices indices_of(const backprop::WindowPlan& plan, torch::Device device) {
  const auto num_rows = static_cast<std::int64_t>(plan.rows.size());
  const auto num_windows = static_cast<std::int64_t>(plan.windows.size());
  WindowIndices indices;
  for (const auto& window : plan.windows)
    indices.width = std::max(indices.width, static_cast<std::int64_t>(window.num_rows + window.num_filler));
  std::vector<std::int64_t> rows(size(num_windows * indices.width), num_rows);
  std::vector<std::int64_t> places(size(num_rows));
  std::vector<std::uint8_t> hidden(rows.size(), 0);
  bool hides = false;
  for (std::size_t w = 0; w < plan.windows.size(); ++w) {
    const auto& window = plan.windows[w];
    const std::size_t at = w * size(indices.width);
    for (std::size_t i = 0; i < window.num_rows; ++i) {
      const std::int32_t row = plan.rows[window.begin + i];
      rows[at + i] = row;
      places[size(row)] = static_cast<std::int64_t>(at + i);
    }
    for (std::size_t i = window.num_rows + window.num_filler; i < size(indices.width); ++i) {
      hidden[at + i] = 1;
      hides = true;
    }
  }
  indices.rows = torch::tensor(rows, torch::kInt64).to(device);
  indices.places = torch::tensor(places, torch::kInt64).to(device);
  if (hides) {
    indices.is_hidden =
        torch::from_blob(hidden.data(), {num_windows, 1, 1, indices.width}, torch::kUInt8).to(torch::kBool).to(device);
  }
  return indices;
}

}  // namespace

ByteFormer::ByteFormer(const format::ModelConfig& config, const ModuleOptions& options)
    : config_(config), options_(options), parameters_(config, options.device) {
  if (!allows_own_kernels(config, options)) return;
  pool_ = std::make_unique<base::ThreadPool>(options.num_threads);
  workers_ = std::make_unique<backprop::Workers>(*pool_, kernels::default_kernels());
}

ByteFormer::~ByteFormer() = default;
ByteFormer::ByteFormer(ByteFormer&&) noexcept = default;

std::int64_t ByteFormer::num_tokens(std::int64_t num_bytes) const {
  return static_cast<std::int64_t>(stem_shape(config_).tokens.num_tokens(static_cast<std::uint64_t>(num_bytes)));
}

torch::Tensor ByteFormer::forward(std::span<const std::span<const std::uint8_t>> files) { return logits(stem(files)); }

torch::Tensor ByteFormer::logits(PackedRows x) {
  for (std::size_t layer = 0; layer < size(config_.num_hidden_layers); ++layer) {
    x = block(layer, std::move(x));
    if (config_.downsample[layer]) x = merge(layer, std::move(x));
  }
  x.rows = norm(x.rows, "post_transformer_norm");
  return torch::linear(mean_per_file(x), parameters_["classifier.weight"], parameters_["classifier.bias"]);
}

PackedRows ByteFormer::stem(std::span<const std::span<const std::uint8_t>> files) {
  const backprop::StemShape shape = stem_shape(config_);
  const bool is_learned = config_.position_embedding == format::PositionEmbedding::kLearned;
  PackedRows x;
  for (const auto& file : files) {
    if (file.empty()) throw Error(ErrorCode::kEmptyFile, "a file of the batch is empty");
    x.file_rows.push_back(num_tokens(static_cast<std::int64_t>(file.size())));
    if (is_learned && x.file_rows.back() > config_.max_position_embeddings)
      format::fail(ErrorCode::kTooManyTokens, "a file needs ", x.file_rows.back(),
                   " tokens, but there are positions for ", config_.max_position_embeddings);
  }
  const std::int64_t longest = *std::ranges::max_element(x.file_rows);
  const bool has_convolution = config_.conv_kernel_size > 0;
  backprop::PackedIds ids = backprop::pack_ids(shape.tokens, files);
  if (workers_ != nullptr) {
    const Pointers p{parameters_, ""};
    const auto convolution = has_convolution ? p.value("token_reduction_net.weight") : nullptr;
    const auto d_convolution = has_convolution ? p.gradient("token_reduction_net.weight") : nullptr;
    x.rows = train::stem(
        shape, {p.value("embeddings.weight"), convolution, is_learned ? p.value(kPositions) : position_rows(longest)},
        {p.gradient("embeddings.weight"), d_convolution, is_learned ? p.gradient(kPositions) : nullptr}, std::move(ids),
        *workers_);
    return x;
  }
  // The same table as a bag of embeddings: row (tap, byte) of [taps * 257, hidden].
  std::vector<std::int64_t> entries, positions;
  for (const auto& file : ids.files)
    for (std::size_t t = 0; t < file.num_tokens; ++t) {
      positions.push_back(static_cast<std::int64_t>(t));
      for (std::size_t j = 0; j < shape.tokens.taps(); ++j)
        entries.push_back(static_cast<std::int64_t>(j * 257 + ids.ids[file.first_id + t * shape.tokens.stride() + j]));
    }
  const torch::Tensor embedding = torch::cat({parameters_["embeddings.weight"].narrow(0, 0, 256),
                                              torch::zeros({1, config_.hidden_size}, parameters_.values().options())});
  torch::Tensor table = embedding;
  if (has_convolution)
    table = torch::einsum("vi,oij->jvo", {embedding, parameters_["token_reduction_net.weight"]})
                .reshape({-1, config_.hidden_size});
  const torch::Tensor index = torch::tensor(entries, torch::kInt64)
                                  .view({-1, static_cast<std::int64_t>(shape.tokens.taps())})
                                  .to(options_.device);
  x.rows = std::get<0>(torch::embedding_bag(table, index.flatten(),
                                            torch::arange(0, index.numel(), index.size(1), index.options()),
                                            /*scale_grad_by_freq=*/false, /*mode=*/0));
  x.rows =
      x.rows + this->positions(longest).index_select(0, torch::tensor(positions, torch::kInt64).to(options_.device));
  return x;
}

torch::Tensor ByteFormer::positions(std::int64_t num_tokens) {
  const bool is_learned = config_.position_embedding == format::PositionEmbedding::kLearned;
  if (!is_learned) position_rows(num_tokens);
  const torch::Tensor table =
      is_learned ? parameters_[kPositions].view({-1, config_.hidden_size}) : sinusoids_.to(options_.device);
  return table.narrow(0, 0, num_tokens);
}

PackedRows ByteFormer::block(std::size_t layer, PackedRows x) {
  const std::string prefix = block_prefix(layer);
  if (workers_ != nullptr) {
    const Pointers p{parameters_, prefix};
    const backprop::BlockShape shape{size(config_.hidden_size), size(config_.num_attention_heads),
                                     size(config_.intermediate_size), static_cast<float>(config_.layer_norm_eps)};
    x.rows = train::block(shape, block_tensors<const float*>([&](const char* name) { return p.value(name); }),
                          block_tensors<float*>([&](const char* name) { return p.gradient(name); }),
                          backprop::cut_windows(x.file_rows, windows(layer)), x.rows, *workers_);
    return x;
  }
  const torch::Tensor normed = norm(x.rows, prefix + "pre_norm_mha.0");
  x.rows = x.rows + regularised(attend(normed, layer, prefix, x.file_rows), layer, x);
  torch::Tensor wide = linear(norm(x.rows, prefix + "pre_norm_ffn.0"), prefix + "pre_norm_ffn.1");
  wide = torch::gelu(wide);
  x.rows = x.rows + regularised(linear(wide, prefix + "pre_norm_ffn.4").to(torch::kFloat32), layer, x);
  return x;
}

torch::Tensor ByteFormer::attend(const torch::Tensor& normed, std::size_t layer, const std::string& prefix,
                                 const std::vector<std::int64_t>& file_rows) const {
  const std::int64_t hidden = config_.hidden_size;
  const std::int64_t heads = config_.num_attention_heads;
  const backprop::WindowPlan plan = backprop::cut_windows(file_rows, windows(layer));
  const WindowIndices windows = indices_of(plan, options_.device);
  // A filler row is zero before the norm, so after it the norm's bias.
  const torch::Tensor filler = parameters_[prefix + "pre_norm_mha.0.bias"].unsqueeze(0);
  torch::Tensor qkv = linear(torch::cat({normed, filler}), prefix + "pre_norm_mha.1.qkv_proj");
  qkv = qkv.index_select(0, windows.rows)
            .view({-1, windows.width, 3, heads, hidden / heads})
            .permute({2, 0, 3, 1, 4});  // [3, windows, heads, width, dim]
  const double scale = 1.0 / std::sqrt(static_cast<double>(hidden / heads));
  torch::Tensor scores = torch::matmul(qkv[0] * scale, qkv[1].transpose(-2, -1)).to(torch::kFloat32);
  if (windows.is_hidden.defined())
    scores = scores.masked_fill(windows.is_hidden, -std::numeric_limits<float>::infinity());
  const torch::Tensor mixed = torch::matmul(torch::softmax(scores, -1).to(qkv.scalar_type()), qkv[2]);
  const torch::Tensor rows = mixed.transpose(1, 2).reshape({-1, hidden}).index_select(0, windows.places);
  return linear(rows, prefix + "pre_norm_mha.1.out_proj").to(torch::kFloat32);
}

PackedRows ByteFormer::merge(std::size_t layer, PackedRows x) {
  const std::string prefix = merge_prefix(layer);
  backprop::MergePlan plan = backprop::pair_rows(x.file_rows);
  x.file_rows = plan.merged_rows;
  if (workers_ != nullptr) {
    const Pointers p{parameters_, prefix};
    x.rows = train::merge({size(config_.hidden_size), static_cast<float>(config_.layer_norm_eps)},
                          merge_tensors<const float*>([&](const char* name) { return p.value(name); }),
                          merge_tensors<float*>([&](const char* name) { return p.gradient(name); }), std::move(plan),
                          x.rows, *workers_);
    return x;
  }
  std::vector<std::int64_t> pairs(plan.pairs.begin(), plan.pairs.end());
  for (std::int64_t& row : pairs)
    if (row < 0) row = x.rows.size(0);  // the zero row
  const torch::Tensor with_zero = torch::cat({x.rows, torch::zeros({1, config_.hidden_size}, x.rows.options())});
  const torch::Tensor pair_rows = with_zero.index_select(0, torch::tensor(pairs, torch::kInt64).to(options_.device))
                                      .view({-1, 2, config_.hidden_size})
                                      .transpose(1, 2)  // channel-major
                                      .reshape({-1, 2 * config_.hidden_size});
  x.rows = norm(linear(pair_rows, prefix + "reduction", /*has_bias=*/false).to(torch::kFloat32), prefix + "norm");
  return x;
}

torch::Tensor ByteFormer::mean_per_file(const PackedRows& x) const {
  std::vector<torch::Tensor> means;
  for (const torch::Tensor& rows : x.rows.split_with_sizes(x.file_rows, 0)) means.push_back(rows.mean(0));
  return torch::stack(means);
}

torch::Tensor ByteFormer::linear(const torch::Tensor& x, const std::string& name, bool has_bias) const {
  const auto type = options_.compute_type;
  const torch::Tensor weight = parameters_[name + ".weight"].to(type);
  return has_bias ? torch::linear(x.to(type), weight, parameters_[name + ".bias"].to(type))
                  : torch::linear(x.to(type), weight);
}

torch::Tensor ByteFormer::norm(const torch::Tensor& x, const std::string& name) const {
  return torch::layer_norm(x, {config_.hidden_size}, parameters_[name + ".weight"], parameters_[name + ".bias"],
                           config_.layer_norm_eps);
}

/// Dropout of elements, and of the whole branch for some files.
torch::Tensor ByteFormer::regularised(const torch::Tensor& branch, std::size_t layer, const PackedRows& x) const {
  if (!is_training_) return branch;
  const Regularisation& r = options_.regularisation;
  torch::Tensor result = r.dropout > 0 ? torch::dropout(branch, r.dropout, true) : branch;
  if (r.stochastic_depth <= 0) return result;
  const double last = std::max<double>(1, static_cast<double>(config_.num_hidden_layers - 1));
  const double keep = 1 - r.stochastic_depth * static_cast<double>(layer) / last;
  const auto files = static_cast<std::int64_t>(x.file_rows.size());
  const torch::Tensor kept = torch::bernoulli(torch::full({files}, keep, branch.options())) / keep;
  const torch::Tensor counts = torch::tensor(x.file_rows, torch::kInt64).to(options_.device);
  return result * kept.repeat_interleave(counts).unsqueeze(1);
}

const float* ByteFormer::position_rows(std::int64_t longest) {
  if (!sinusoids_.defined() || sinusoids_.size(0) < longest) {
    sinusoids_ = torch::zeros({longest, config_.hidden_size});
    const auto positions =
        nn::Positions::sinusoidal({}, size(config_.max_position_embeddings), size(config_.hidden_size));
    std::vector<float> scratch(kernels::padded(size(config_.hidden_size)));
    for (std::int64_t t = 0; t < longest; ++t)
      std::copy_n(positions.rows(static_cast<std::uint64_t>(t), 1, scratch.data()), size(config_.hidden_size),
                  sinusoids_.data_ptr<float>() + t * config_.hidden_size);
  }
  return sinusoids_.data_ptr<float>();
}

}  // namespace byteformer::train
