// The model in training from bytes to logits; its layers are computed in one of two ways, chosen once.
#include "train/module.hpp"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "kernels/kernels.hpp"
#include "nn/positions.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {
namespace {

torch::Dtype dtype_of(const std::string& precision) {
  if (precision == "bf16") return torch::kBFloat16;
  return precision == "fp16" ? torch::kFloat16 : torch::kFloat32;
}

}  // namespace

Module::Module(const format::ModelConfig& config, const ModuleOptions& options)
    : config_(config),
      device_(options.device),
      parameters_(std::make_unique<Parameters>(config, options.device)),
      layers_(make_own_layers(config, options, *parameters_)) {
  if (!layers_) layers_ = make_torch_layers(config, options, *parameters_);
}

std::int64_t Module::num_tokens(std::int64_t num_bytes) const {
  return static_cast<std::int64_t>(tokens().num_tokens(static_cast<std::uint64_t>(num_bytes)));
}

torch::Tensor Module::forward(std::span<const std::span<const std::uint8_t>> files, const PassOptions& options) {
  BatchRows x = stem(files);
  x.noise = options.noise;
  return logits(std::move(x), options.on_layer_done);
}

BatchRows Module::stem(std::span<const std::span<const std::uint8_t>> files) {
  BatchRows x;
  for (const auto& file : files) {
    if (file.empty()) throw Error(ErrorCode::kEmptyFile, "a file of the batch is empty");
    x.file_rows.push_back(num_tokens(static_cast<std::int64_t>(file.size())));
    if (has_learned_positions() && x.file_rows.back() > config_.max_position_embeddings)
      base::fail(ErrorCode::kTooManyTokens, "a file needs ", x.file_rows.back(),
                 " tokens, but there are positions for ", config_.max_position_embeddings);
  }
  x.rows = layers_->stem(backprop::pack_ids(tokens(), files), positions(*std::ranges::max_element(x.file_rows)));
  return x;
}

torch::Tensor Module::logits(BatchRows x, const LayerDone& on_layer_done) {
  for (std::size_t layer = 0; layer < size(config_.num_hidden_layers); ++layer) {
    // Once the gradient of what enters a layer is known, products of the layer itself may still wait for threads.
    if (on_layer_done)
      x.rows.register_hook(
          [on_layer_done, after = static_cast<int>(layer) + 1](const torch::Tensor&) { on_layer_done(after); });
    const nn::WindowGeometry windows(config_.window_sizes[layer], config_.window_shifts[layer], config_.masking);
    x.rows = layers_->block(layer, backprop::cut_windows(x.file_rows, windows), x);
    if (!config_.downsample[layer]) continue;
    backprop::MergePlan pairs = backprop::pair_rows(x.file_rows);
    x.file_rows = pairs.merged_rows;
    x.rows = layers_->merge(layer, std::move(pairs), x.rows);
  }
  const Parameters& p = *parameters_;
  const torch::Tensor normed = torch::layer_norm(x.rows, {config_.hidden_size}, p["post_transformer_norm.weight"],
                                                 p["post_transformer_norm.bias"], config_.layer_norm_eps);
  std::vector<torch::Tensor> means;
  for (const torch::Tensor& rows : normed.split_with_sizes(x.file_rows, 0)) means.push_back(rows.mean(0));
  return torch::linear(torch::stack(means), p["classifier.weight"], p["classifier.bias"]);
}

torch::Tensor Module::positions(std::int64_t num_tokens) {
  if (has_learned_positions())
    return (*parameters_)[kPositions].view({-1, config_.hidden_size}).narrow(0, 0, num_tokens);
  if (!sinusoids_.defined() || sinusoids_.size(0) < num_tokens) {
    sinusoids_ = torch::zeros({num_tokens, config_.hidden_size});
    const auto rows = nn::Positions::sinusoidal({}, size(config_.max_position_embeddings), size(config_.hidden_size));
    std::vector<float> scratch(kernels::padded(size(config_.hidden_size)));
    for (std::int64_t t = 0; t < num_tokens; ++t)
      std::copy_n(rows.rows(static_cast<std::uint64_t>(t), 1, scratch.data()), size(config_.hidden_size),
                  sinusoids_.data_ptr<float>() + t * config_.hidden_size);
    sinusoids_ = sinusoids_.to(device_);
  }
  return sinusoids_.narrow(0, 0, num_tokens);
}

Module make_module(const plan::TrainingPlan& plan, const Runtime& runtime) {
  ModuleOptions options;
  options.device = torch::Device(plan.device);
  if (options.device.is_cuda() && runtime.ranks != nullptr && torch::cuda::device_count() > 0)  // ranks share them out
    options.device.set_index(static_cast<torch::DeviceIndex>(runtime.ranks->world().local_rank %
                                                             static_cast<int>(torch::cuda::device_count())));
  options.compute_type = dtype_of(plan.precision);
  options.regularisation = {plan.dropout, plan.stochastic_depth};
  options.num_threads = runtime.num_threads;
  Module module(plan.config, options);
  // Beside our own kernels LibTorch has little to do, and on one thread its sums have one order.
  if (module.uses_own_kernels()) {
    at::set_num_threads(1);
  } else if (runtime.num_threads > 0) {
    at::set_num_threads(runtime.num_threads);
  }
  return module;
}

bool has_cuda() { return torch::cuda::is_available(); }

}  // namespace byteformer::train
