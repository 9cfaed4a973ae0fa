// The model in training: the engine's layers under the engine's names, with gradients.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <span>

#include "format/config.hpp"
#include "nn/geometry.hpp"
#include "plan/plan.hpp"
#include "train/layers.hpp"
#include "train/parameters.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// A ByteFormer that learns. Not thread-safe.
///
/// On the CPU its layers run on our own kernels with hand-written backward passes, elsewhere on LibTorch's operators.
/// Both are compared with the published gradients, stage by stage with the engine.
class Module {
 public:
  Module(const format::ModelConfig& config, const ModuleOptions& options);

  /// Logits [files, classes]. With gradients enabled, backward() on a function of them adds to
  /// parameters().gradients(). \throws Error kEmptyFile, kTooManyTokens.
  torch::Tensor forward(std::span<const std::span<const std::uint8_t>> files);

  // The two halves of forward(), and what an empty token is, for those who look at gradients of tokens.

  /// Tokens of the files. \throws as forward().
  BatchRows stem(std::span<const std::span<const std::uint8_t>> files);
  /// Logits [files, classes] of what leaves the stem.
  torch::Tensor logits(BatchRows x);
  /// Position embeddings [num_tokens, hidden]: tokens without bytes. \param num_tokens of a file that stem() takes
  torch::Tensor positions(std::int64_t num_tokens);

  Parameters& parameters() noexcept { return *parameters_; }
  const format::ModelConfig& config() const noexcept { return config_; }
  void set_training(bool is_training) { layers_->set_training(is_training); }
  bool uses_own_kernels() const noexcept { return layers_->thread_pool() != nullptr; }
  base::ThreadPool* thread_pool() noexcept { return layers_->thread_pool(); }  ///< null without own kernels
  torch::Device device() const noexcept { return device_; }

  /// Tokens of a file of `num_bytes` bytes.
  std::int64_t num_tokens(std::int64_t num_bytes) const;

 private:
  nn::TokenGeometry tokens() const { return {config_.conv_kernel_size, config_.masking}; }
  bool has_learned_positions() const { return config_.position_embedding == format::PositionEmbedding::kLearned; }

  format::ModelConfig config_;
  torch::Device device_;
  std::unique_ptr<Parameters> parameters_;  // where the layers find them when this is moved
  std::unique_ptr<Layers> layers_;
  torch::Tensor sinusoids_;  // [rows so far, hidden]
};

/// The untrained module of `plan`; sets LibTorch's number of threads, which is the process's, to what goes with it.
Module make_module(const plan::TrainingPlan& plan, const Runtime& runtime);

/// Calls `run(first, last)` for consecutive files whose tokens fit one pass, or for a single file that does not.
template <typename Files, typename Pass>
void for_each_pass(const Module& module, const Files& files, std::int64_t token_budget, const Pass& run) {
  for (std::size_t first = 0, last = 0; first < files.size(); first = last) {
    std::int64_t tokens = 0;
    for (; last < files.size(); ++last) {
      tokens += module.num_tokens(static_cast<std::int64_t>(files[last].size()));
      if (last > first && tokens > token_budget) break;
    }
    run(first, last);
  }
}

}  // namespace byteformer::train
