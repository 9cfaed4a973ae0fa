// Implementation of weight_loader.hpp.
#include "model/weight_loader.hpp"

#include <cstdint>

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

std::span<const float> WeightLoader::get(const std::string& name) {
  const format::TensorView& tensor = tensors_.by_name.find(name)->second;
  read_and_check(name, tensor);
  if (is_aligned_float32(tensor)) return as_floats(tensor);
  return converted_.emplace_back(format::to_float32(tensor, name));
}

void WeightLoader::read_and_check(const std::string& name, const format::TensorView& tensor) {
  if (tensors_.is_mapped) {
    base::populate_pages(tensor.bytes);
    used_.push_back(tensor.bytes);
  }
  check_finite(name, tensor, tensors_.source);
}

void WeightLoader::release() {
  converted_.clear();
  for (const auto range : used_) base::release_pages(range);
  used_.clear();
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
    read_and_check(name, found->second);
    if (!is_aligned_float32(found->second)) storage = format::to_float32(found->second, name);
    rows = storage.empty() ? as_floats(found->second) : std::span<const float>(storage);
  }
  if (config_.position_embedding == format::PositionEmbedding::kLearned)
    return nn::Positions::learned(rows, hidden, tensors_.is_mapped && storage.empty());
  return nn::Positions::sinusoidal(rows, static_cast<std::size_t>(config_.max_position_embeddings), hidden);
}

nn::ByteStem WeightLoader::stem(Masking masking, base::ThreadPool& pool, std::vector<float>& positions_storage) {
  nn::ByteStemView view{.embedding = get("embeddings.weight"), .convolution = {}};
  if (config_.conv_kernel_size > 0) view.convolution = get("token_reduction_net.weight");
  nn::ByteStem stem(*kernels_.full, view, static_cast<std::size_t>(config_.hidden_size),
                    static_cast<std::size_t>(config_.conv_kernel_size), positions(positions_storage), masking, pool);
  release();
  return stem;
}

nn::EncoderBlock WeightLoader::block(std::size_t layer) {
  const std::string prefix = "transformer." + std::to_string(layer) + ".";
  const auto hidden = static_cast<std::size_t>(config_.hidden_size);
  const auto eps = static_cast<float>(config_.layer_norm_eps);
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
  const nn::TokenMergeView view{.reduction = {.weight = get(prefix + "reduction.weight"), .bias = {}},
                                .norm = norm(prefix + "norm")};
  nn::TokenMerge merge(kernels_, view, static_cast<std::size_t>(config_.hidden_size),
                       static_cast<float>(config_.layer_norm_eps));
  release();
  return merge;
}

nn::MeanHead WeightLoader::head() {
  nn::MeanHead head(*kernels_.full, norm("post_transformer_norm"), linear("classifier"),
                    static_cast<std::size_t>(config_.hidden_size), static_cast<std::size_t>(config_.num_labels),
                    static_cast<float>(config_.layer_norm_eps));
  release();
  return head;
}

}  // namespace byteformer::model
