// The layers on LibTorch's operators: other devices, lower precision, and noise that regularises.
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/random.hpp"
#include "nn/byte_table.hpp"
#include "train/module.hpp"

namespace byteformer::train {
namespace {

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

class TorchLayers : public Layers {
 public:
  TorchLayers(const format::ModelConfig& config, const ModuleOptions& options, const Parameters& parameters)
      : config_(config), options_(options), parameters_(parameters) {}

  /// The byte table as a bag of embeddings: row (tap, byte) of [taps * 257, hidden].
  torch::Tensor stem(backprop::PackedIds ids, const torch::Tensor& position_rows) override {
    const nn::TokenGeometry tokens(config_.conv_kernel_size, config_.masking);
    std::vector<std::int64_t> entries, positions;
    for (const auto& file : ids.files)
      for (std::size_t t = 0; t < file.num_tokens; ++t) {
        positions.push_back(static_cast<std::int64_t>(t));
        for (std::size_t j = 0; j < tokens.taps(); ++j)
          entries.push_back(
              static_cast<std::int64_t>(j * nn::kByteVocabulary + ids.ids[file.first_id + t * tokens.stride() + j]));
      }
    const torch::Tensor zero = torch::zeros({1, config_.hidden_size}, parameters_.values().options());
    const torch::Tensor embedding = torch::cat({parameters_["embeddings.weight"].narrow(0, 0, 256), zero});
    torch::Tensor table = embedding;
    if (config_.conv_kernel_size > 0)
      table = torch::einsum("vi,oij->jvo", {embedding, parameters_["token_reduction_net.weight"]})
                  .reshape({-1, config_.hidden_size});
    const torch::Tensor index = on_device(entries).view({-1, static_cast<std::int64_t>(tokens.taps())});
    const torch::Tensor sums = std::get<0>(
        torch::embedding_bag(table, index.flatten(), torch::arange(0, index.numel(), index.size(1), index.options()),
                             /*scale_grad_by_freq=*/false, /*mode=*/0));
    return sums + position_rows.index_select(0, on_device(positions));
  }

  torch::Tensor block(std::size_t layer, backprop::WindowPlan plan, const BatchRows& x) override {
    const std::string prefix = block_prefix(layer);
    const torch::Tensor normed = norm(x.rows, prefix + "pre_norm_mha.0");
    const torch::Tensor middle = x.rows + regularised(attend(normed, plan, prefix), layer, 0, x);
    const torch::Tensor wide = torch::gelu(linear(norm(middle, prefix + "pre_norm_ffn.0"), prefix + "pre_norm_ffn.1"));
    return middle + regularised(linear(wide, prefix + "pre_norm_ffn.4").to(torch::kFloat32), layer, 1, x);
  }

  torch::Tensor merge(std::size_t layer, backprop::MergePlan plan, const torch::Tensor& x) override {
    const std::string prefix = merge_prefix(layer);
    std::vector<std::int64_t> pairs(plan.pairs.begin(), plan.pairs.end());
    for (std::int64_t& row : pairs)
      if (row < 0) row = x.size(0);  // the zero row
    const torch::Tensor with_zero = torch::cat({x, torch::zeros({1, config_.hidden_size}, x.options())});
    const torch::Tensor pair_rows = with_zero.index_select(0, on_device(pairs))
                                        .view({-1, 2, config_.hidden_size})
                                        .transpose(1, 2)  // channel-major
                                        .reshape({-1, 2 * config_.hidden_size});
    return norm(linear(pair_rows, prefix + "reduction", /*has_bias=*/false).to(torch::kFloat32), prefix + "norm");
  }

  void set_training(bool is_training) override { is_training_ = is_training; }

 private:
  torch::Tensor attend(const torch::Tensor& normed, const backprop::WindowPlan& plan, const std::string& prefix) const {
    const std::int64_t hidden = config_.hidden_size;
    const std::int64_t heads = config_.num_attention_heads;
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

  torch::Tensor linear(const torch::Tensor& x, const std::string& name, bool has_bias = true) const {
    const auto type = options_.compute_type;
    const torch::Tensor weight = parameters_[name + ".weight"].to(type);
    return has_bias ? torch::linear(x.to(type), weight, parameters_[name + ".bias"].to(type))
                    : torch::linear(x.to(type), weight);
  }

  torch::Tensor norm(const torch::Tensor& x, const std::string& name) const {
    return torch::layer_norm(x, {config_.hidden_size}, parameters_[name + ".weight"], parameters_[name + ".bias"],
                             config_.layer_norm_eps);
  }

  torch::Tensor on_device(const std::vector<std::int64_t>& numbers) const {
    return torch::tensor(numbers, torch::kInt64).to(options_.device);
  }

  /// Dropout of elements, and of the whole branch for some files. \param branch  0 for attention, 1 for feed-forward
  torch::Tensor regularised(torch::Tensor y, std::size_t layer, std::uint64_t branch, const BatchRows& x) const {
    if (!is_training_) return y;
    const Regularisation& r = options_.regularisation;
    const std::uint64_t place = 2 * layer + branch;
    if (r.dropout > 0) y = y * kept_elements(place, x).to(y.scalar_type()) / (1 - r.dropout);
    if (r.stochastic_depth <= 0) return y;
    const double last = std::max<double>(1, static_cast<double>(config_.num_hidden_layers - 1));
    const double keep = 1 - r.stochastic_depth * static_cast<double>(layer) / last;
    std::vector<float> scales;
    for (std::size_t file = 0; file < x.file_rows.size(); ++file)
      scales.push_back(base::Random(noise_of(x, file), place, 1).chance(keep) ? static_cast<float>(1 / keep) : 0);
    const torch::Tensor counts = torch::tensor(x.file_rows, torch::kInt64).to(options_.device);
    return y * torch::tensor(scales).to(options_.device).repeat_interleave(counts).unsqueeze(1).to(y.scalar_type());
  }

  static std::uint64_t noise_of(const BatchRows& x, std::size_t file) { return x.noise.empty() ? file : x.noise[file]; }

  /// Which elements of [rows, hidden] dropout keeps: a hash of the file's number, the place, and the element's number
  /// in the file. LibTorch's generators would give a file other numbers beside other files.
  torch::Tensor kept_elements(std::uint64_t place, const BatchRows& x) const {
    constexpr std::uint64_t kGolden = 0x9E37'79B9'7F4A'7C15;  // SplitMix64 (Steele, Lea, Flood, 2014)
    const auto as_signed = [](std::uint64_t bits) { return static_cast<std::int64_t>(bits); };
    const auto hidden = static_cast<std::uint64_t>(config_.hidden_size);
    std::vector<std::int64_t> firsts;  // states of the first element of each row
    for (std::size_t file = 0; file < x.file_rows.size(); ++file) {
      const std::uint64_t state = base::Random(noise_of(x, file), place).bits();
      for (std::int64_t row = 0; row < x.file_rows[file]; ++row)
        firsts.push_back(as_signed(state + static_cast<std::uint64_t>(row) * hidden * kGolden));
    }
    std::vector<std::int64_t> steps;
    for (std::uint64_t column = 0; column < hidden; ++column) steps.push_back(as_signed(column * kGolden));
    torch::Tensor bits = on_device(firsts).unsqueeze(1) + on_device(steps);
    for (const auto& [shift, factor] : {std::pair(30, 0xBF58'476D'1CE4'E5B9), std::pair(27, 0x94D0'49BB'1331'11EB)})
      bits = bits.bitwise_xor(bits.bitwise_right_shift(shift)).mul_(as_signed(factor));
    constexpr std::int64_t kRange = 1 << 24;
    return bits.bitwise_right_shift_(32).bitwise_and_(kRange - 1) >=
           static_cast<std::int64_t>(options_.regularisation.dropout * kRange);
  }

  format::ModelConfig config_;
  ModuleOptions options_;
  const Parameters& parameters_;
  bool is_training_ = true;
};

}  // namespace

std::unique_ptr<Layers> make_torch_layers(const format::ModelConfig& config, const ModuleOptions& options,
                                          const Parameters& parameters) {
  return std::make_unique<TorchLayers>(config, options, parameters);
}

}  // namespace byteformer::train
