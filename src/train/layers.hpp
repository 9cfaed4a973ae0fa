// Stem, blocks and merges of the model in training, in one of two ways: on our own kernels, or on LibTorch's operators.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backprop/merge.hpp"
#include "backprop/stem.hpp"
#include "backprop/window_plan.hpp"
#include "base/thread_pool.hpp"
#include "format/config.hpp"
#include "train/parameters.hpp"

namespace byteformer::train {

/// Rows of all files of a batch, one after another; never padded.
struct BatchRows {
  torch::Tensor rows;                   ///< [all rows, hidden]
  std::vector<std::int64_t> file_rows;  ///< [files]
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

}  // namespace byteformer::train
