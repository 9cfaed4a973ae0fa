// The model in training: the engine's layers under the engine's names, with gradients; stem, blocks and merges in one
// of two ways: on our own kernels, or on LibTorch's operators.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backprop/merge.hpp"
#include "backprop/stem.hpp"
#include "backprop/window_plan.hpp"
#include "base/thread_pool.hpp"
#include "format/config.hpp"
#include "nn/geometry.hpp"
#include "plan/plan.hpp"
#include "train/parameters.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// Rows of all files of a batch, one after another; never padded.
struct BatchRows {
  torch::Tensor rows;                   ///< [all rows, hidden]
  std::vector<std::int64_t> file_rows;  ///< [files]
  std::vector<std::uint64_t> noise{};   ///< [files], or none. \see PassOptions
};

/// Noise that regularises; all off by default, as in the published recipe.
struct Regularisation {
  double dropout = 0;           ///< of the feed-forward's and attention's outputs
  double stochastic_depth = 0;  ///< probability that the last block is skipped for a file; grows linearly with depth
};

struct ModuleOptions {
  torch::Device device = torch::kCPU;
  /// Element type of products: float32, or bfloat16 or float16 for mixed precision. Norms and sums stay float32.
  torch::Dtype compute_type = torch::kFloat32;
  Regularisation regularisation = {};
  int num_threads = 0;          ///< of our own kernels; 0 means one per processor
  bool use_own_kernels = true;  ///< on the CPU, where sizes and options allow; otherwise LibTorch's operators
};

/// Each function returns [rows, hidden] as a tensor of the autograd graph, whose backward pass adds to the gradients of
/// the parameters. Not thread-safe.
class Layers {
 public:
  virtual ~Layers() = default;

  /// Tokens of all files. \param positions  [at least the tokens of the longest file, hidden]
  virtual torch::Tensor stem(backprop::PackedIds ids, const torch::Tensor& positions) = 0;

  /// \param plan  the windows of the layer
  virtual torch::Tensor block(std::size_t layer, backprop::WindowPlan plan, const BatchRows& x) = 0;

  virtual torch::Tensor merge(std::size_t layer, backprop::MergePlan plan, const torch::Tensor& x) = 0;

  /// Whether there is noise, where the options ask for some.
  virtual void set_training(bool /*is_training*/) {}

  /// The threads of our own kernels; null without them.
  virtual base::ThreadPool* thread_pool() noexcept { return nullptr; }
};

/// On hand-written backward passes (`src/backprop`); null where device, sizes or options do not allow it.
/// \param parameters  must outlive the layers and the graphs that they make
std::unique_ptr<Layers> make_own_layers(const format::ModelConfig& config, const ModuleOptions& options,
                                        const Parameters& parameters);

/// On LibTorch's operators: any device, any precision, with noise.
/// \param parameters  must outlive the layers
std::unique_ptr<Layers> make_torch_layers(const format::ModelConfig& config, const ModuleOptions& options,
                                          const Parameters& parameters);

inline std::size_t size(std::int64_t number) { return static_cast<std::size_t>(number); }

// Where the tensors of a layer are among the parameters.
inline std::string block_prefix(std::size_t layer) { return "transformer." + std::to_string(layer) + "."; }
inline std::string merge_prefix(std::size_t layer) { return "downsamplers.downsample_" + std::to_string(layer) + "."; }

/// Called during a backward pass when the gradients of `layer`, of all later layers and of the head are complete.
using LayerDone = std::function<void(int layer)>;

/// What a pass of some files of a step is told besides.
struct PassOptions {
  LayerDone on_layer_done;
  std::vector<std::uint64_t> noise;  ///< [files]: on its number alone depends what dropout does to a file
};

/// A ByteFormer that learns. Not thread-safe.
///
/// On the CPU its layers run on our own kernels with hand-written backward passes, elsewhere on LibTorch's operators.
/// Both are compared with the published gradients, stage by stage with the engine.
class Module {
 public:
  Module(const format::ModelConfig& config, const ModuleOptions& options);

  /// Logits [files, classes]. With gradients enabled, backward() on a function of them adds to
  /// parameters().gradients(), and tells `options.on_layer_done` of its progress. \throws Error kEmptyFile,
  /// kTooManyTokens.
  torch::Tensor forward(std::span<const std::span<const std::uint8_t>> files, const PassOptions& options = {});

  // The two halves of forward(), and what an empty token is, for those who look at gradients of tokens.

  /// Tokens of the files. \throws as forward().
  BatchRows stem(std::span<const std::span<const std::uint8_t>> files);
  /// Logits [files, classes] of what leaves the stem.
  torch::Tensor logits(BatchRows x, const LayerDone& on_layer_done = {});
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
