// Reads, checks and packs the tensors of each layer, and frees them before the next one.
#include "model/weight_loader.hpp"

#include <cstdint>

#include "base/check.hpp"
#include "base/file_io.hpp"
#include "model/weights.hpp"

namespace byteformer::model {
namespace {

bool is_aligned_float32(const format::TensorView& tensor) {
  return tensor.dtype == format::DType::kF32 &&
         reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
}

std::span<const float> as_floats(const format::TensorView& tensor) {
  return {reinterpret_cast<const float*>(tensor.bytes.data()), tensor.bytes.size() / sizeof(float)};
}

}  // namespace

std::size_t WeightLoader::arena_bytes(const format::ModelConfig& config, nn::LinearKernels kernels) noexcept {
  const auto hidden = static_cast<std::size_t>(config.hidden_size);
  const auto intermediate = static_cast<std::size_t>(config.intermediate_size);
  const auto of = [&](std::size_t in, std::size_t out) { return nn::Linear::arena_bytes(kernels, in, out); };
  const std::size_t block =
      of(hidden, 3 * hidden) + of(hidden, hidden) + of(hidden, intermediate) + of(intermediate, hidden);
  std::size_t total = nn::ByteStem::arena_bytes(hidden, {config.conv_kernel_size, config.masking});
  for (const bool merges : config.downsample) total += block + (merges ? of(2 * kernels::padded(hidden), hidden) : 0);
  return total + nn::Linear::arena_bytes(*kernels.full, hidden, static_cast<std::size_t>(config.num_labels));
}

std::span<const float> WeightLoader::get(const std::string& name) {
  BF_CHECK(tensors_.by_name.contains(name));  // check_layout() has seen it
  format::TensorView tensor = tensors_.by_name.find(name)->second;
  if (tensors_.file != nullptr && !tensor.bytes.empty()) {
    auto& copy = read_.emplace_back(tensor.bytes.size(), &room_);
    tensors_.file->read(tensor.bytes, copy.data());
    tensor.bytes = copy.span();
  }
  check_finite(name, tensor, tensors_.source);
  if (is_aligned_float32(tensor)) return as_floats(tensor);
  return converted_.emplace_back(format::to_float32(tensor, name));
}

void WeightLoader::expect(std::initializer_list<std::string> prefixes) {
  constexpr std::size_t kUnit = std::size_t{2} << 20;  // a huge page
  if (tensors_.file == nullptr) return;
  std::size_t total = 0;
  for (const std::string& prefix : prefixes) {
    auto tensor = tensors_.by_name.lower_bound(prefix);
    for (; tensor != tensors_.by_name.end() && tensor->first.starts_with(prefix); ++tensor)
      total += base::PageArena::rounded(tensor->second.bytes.size());
  }
  if (total >= kUnit / 4) total = (total + kUnit - 1) / kUnit * kUnit;
  if (total > room_.size()) room_ = base::PageArena(total);
}

void WeightLoader::release() {
  converted_.clear();
  read_.clear();
  room_.clear();
}

nn::LayerNormView WeightLoader::norm(const std::string& name) {
  return {.weight = get(name + ".weight"), .bias = get(name + ".bias")};
}

nn::LinearView WeightLoader::linear(const std::string& name) {
  return {.weight = get(name + ".weight"), .bias = get(name + ".bias")};
}

nn::Positions WeightLoader::positions(std::vector<float>& storage) {
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const std::string name = "pos_embed.pos_embed.pos_embed";
  std::span<const float> rows;
  if (const auto found = tensors_.by_name.find(name); found != tensors_.by_name.end()) {
    if (tensors_.file != nullptr) base::populate_pages(found->second.bytes);
    check_finite(name, found->second, tensors_.source);
    if (!is_aligned_float32(found->second)) storage = format::to_float32(found->second, name);
    if (tensors_.file != nullptr) base::release_pages(found->second.bytes);
    rows = storage.empty() ? as_floats(found->second) : std::span<const float>(storage);
  }
  if (config_.position_embedding == format::PositionEmbedding::kLearned)
    return nn::Positions::learned(rows, hidden, tensors_.file != nullptr && storage.empty());
  return nn::Positions::sinusoidal(rows, static_cast<std::size_t>(config_.max_position_embeddings), hidden);
}

nn::ByteStem WeightLoader::stem(Masking masking, base::ThreadPool& pool, std::vector<float>& positions_storage) {
  expect({"embeddings.", "token_reduction_net."});
  nn::ByteStemView view{.embedding = get("embeddings.weight"), .convolution = {}};
  if (config_.conv_kernel_size > 0) view.convolution = get("token_reduction_net.weight");
  nn::ByteStem stem(*kernels_.full, view, static_cast<std::size_t>(config_.hidden_size),
                    {config_.conv_kernel_size, masking}, positions(positions_storage), pool, kernels_.arena);
  release();
  return stem;
}

nn::EncoderBlock WeightLoader::block(std::size_t layer) {
  const std::string prefix = "transformer." + std::to_string(layer) + ".";
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const auto eps = static_cast<float>(config_.layer_norm_eps);
  expect({prefix});
  const nn::AttentionView attention{.norm = norm(prefix + "pre_norm_mha.0"),
                                    .qkv = linear(prefix + "pre_norm_mha.1.qkv_proj"),
                                    .out = linear(prefix + "pre_norm_mha.1.out_proj")};
  const nn::FeedForwardView feed_forward{.norm = norm(prefix + "pre_norm_ffn.0"),
                                         .up = linear(prefix + "pre_norm_ffn.1"),
                                         .down = linear(prefix + "pre_norm_ffn.4")};
  nn::EncoderBlock block(
      nn::WindowAttention(kernels_, attention, hidden, static_cast<std::size_t>(config_.num_attention_heads), eps),
      nn::FeedForward(kernels_, feed_forward, hidden, static_cast<std::size_t>(config_.intermediate_size), eps));
  release();
  return block;
}

nn::TokenMerge WeightLoader::merge(std::size_t layer) {
  const std::string prefix = "downsamplers.downsample_" + std::to_string(layer) + ".";
  expect({prefix});
  const nn::TokenMergeView view{.reduction = {.weight = get(prefix + "reduction.weight"), .bias = {}},
                                .norm = norm(prefix + "norm")};
  nn::TokenMerge merge(kernels_, view, static_cast<std::size_t>(config_.hidden_size),
                       static_cast<float>(config_.layer_norm_eps));
  release();
  return merge;
}

nn::MeanHead WeightLoader::head() {
  expect({"post_transformer_norm.", "classifier."});
  nn::MeanHead head(kernels_, norm("post_transformer_norm"), linear("classifier"),
                    static_cast<std::size_t>(config_.hidden_size), static_cast<std::size_t>(config_.num_labels),
                    static_cast<float>(config_.layer_norm_eps));
  release();
  return head;
}

}  // namespace byteformer::model
