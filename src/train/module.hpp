// The model in training: the engine's layers under the engine's names, on LibTorch.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backprop/workers.hpp"
#include "format/config.hpp"
#include "nn/geometry.hpp"
#include "train/parameters.hpp"

namespace byteformer::train {

/// Rows of all files of a batch, one after another; never padded.
struct PackedRows {
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
  int num_threads = 0;          ///< of our own kernels; 0 means one a processor
  bool use_own_kernels = true;  ///< on the CPU, where sizes and options allow; otherwise LibTorch's operators
};

/// A ByteFormer with gradients. Not thread-safe.
///
/// On the CPU, stem, blocks and merges run on our own kernels with hand-written backward passes (`src/backprop`);
/// elsewhere on LibTorch's operators. Both are compared with the published gradients, stage by stage with the engine.
class ByteFormer {
 public:
  ByteFormer(const format::ModelConfig& config, const ModuleOptions& options);
  ~ByteFormer();
  ByteFormer(ByteFormer&&) noexcept;

  /// Logits [files, classes]. With gradients enabled, backward() on a function of them adds to
  /// parameters().gradients(). \throws Error kEmptyFile, kTooManyTokens.
  torch::Tensor forward(std::span<const std::span<const std::uint8_t>> files);

  // The two halves of forward(), and what an empty token is, for those who look at gradients of tokens.

  /// Tokens of the files. \throws as forward().
  PackedRows stem(std::span<const std::span<const std::uint8_t>> files);
  /// Logits [files, classes] of what leaves the stem.
  torch::Tensor logits(PackedRows x);
  /// Position embeddings [num_tokens, hidden]: tokens without bytes. \param num_tokens of a file that stem() takes
  torch::Tensor positions(std::int64_t num_tokens);

  Parameters& parameters() noexcept { return parameters_; }
  const format::ModelConfig& config() const noexcept { return config_; }
  void set_training(bool is_training) noexcept { is_training_ = is_training; }
  bool uses_own_kernels() const noexcept { return workers_ != nullptr; }
  base::ThreadPool* thread_pool() noexcept { return pool_.get(); }  ///< null without own kernels
  torch::Device device() const noexcept { return options_.device; }

  /// Tokens of a file of `num_bytes` bytes.
  std::int64_t num_tokens(std::int64_t num_bytes) const;

 private:
  nn::WindowGeometry windows(std::size_t layer) const {
    return {config_.window_sizes[layer], config_.window_shifts[layer], config_.masking};
  }
  PackedRows block(std::size_t layer, PackedRows x);
  PackedRows merge(std::size_t layer, PackedRows x);
  torch::Tensor mean_per_file(const PackedRows& x) const;

  torch::Tensor linear(const torch::Tensor& x, const std::string& name, bool has_bias = true) const;
  torch::Tensor norm(const torch::Tensor& x, const std::string& name) const;
  torch::Tensor attend(const torch::Tensor& normed, std::size_t layer, const std::string& prefix,
                       const std::vector<std::int64_t>& file_rows) const;
  torch::Tensor regularised(const torch::Tensor& branch, std::size_t layer, const PackedRows& x) const;
  const float* position_rows(std::int64_t longest);

  format::ModelConfig config_;
  ModuleOptions options_;
  Parameters parameters_;
  bool is_training_ = true;
  std::unique_ptr<base::ThreadPool> pool_;
  std::unique_ptr<backprop::Workers> workers_;  // null: LibTorch's operators
  torch::Tensor sinusoids_;                     // [rows so far, hidden] on the CPU
};

}  // namespace byteformer::train
