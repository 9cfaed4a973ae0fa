// What a step does: the loss, and AdamW or Muon with the moving average of the weights on flat tensors.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backprop/muon.hpp"
#include "backprop/workers.hpp"
#include "base/thread_pool.hpp"
#include "kernels/training_kernels.hpp"
#include "train/parameters.hpp"
#include "train/ranks.hpp"

namespace byteformer::train {

/// How a step follows from gradients.
enum class StepRule {
  kAdamW,  ///< everywhere
  kMuon,   ///< for the weight matrices of blocks and merges; AdamW for the rest
};

/// \param name "adamw" or "muon"
StepRule parse_step_rule(const std::string& name);

struct OptimizerOptions {
  StepRule rule = StepRule::kAdamW;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double muon_beta = 0.95;
  double weight_decay = 0.05;   ///< of tensors of more than one dimension
  bool use_own_kernels = true;  ///< on a CPU; LibTorch's operators otherwise
  double ema_momentum = 1e-4;   ///< average = (1 - m) average + m weights, after every step
};

/// What an optimizer remembers between steps; the flat tensors have the layout of Parameters.
struct OptimizerState {
  torch::Tensor first_moment;   ///< where Muon steps: its momentum
  torch::Tensor second_moment;  ///< where Muon steps: zero
  torch::Tensor average;
  std::int64_t num_steps = 0;
};

/// Decoupled weight decay (Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019), as torch.optim.AdamW
/// computes it; and Muon (\see backprop::MuonArgs). Not thread-safe.
///
/// Ranks on one machine share out the search for Muon's directions and tell each other what they found. Others find all
/// themselves: a network may take longer for that than a processor. The bits are the same.
class Optimizer {
 public:
  /// \param pool  runs the steps on a CPU; null: the caller alone. The results are the same bits.
  /// \param ranks which take the same steps; null: none but this one
  Optimizer(Parameters& parameters, const OptimizerOptions& options, base::ThreadPool* pool = nullptr,
            Ranks* ranks = nullptr);

  /// One step from `parameters.gradients()`, which are zero afterwards. Collective.
  /// \param learning_rate  of this step
  /// \param gradient_scale the gradients are multiplied by it first (clipping, accumulation, loss scaling)
  void step(double learning_rate, double gradient_scale = 1);

  /// The norm of all gradients.
  double gradient_norm() const;

  OptimizerState& state() noexcept { return state_; }
  const OptimizerState& state() const noexcept { return state_; }

 private:
  /// A weight matrix, or a third of one that makes queries, keys and values, in the flat tensors.
  struct Matrix {
    std::int64_t begin, rows, columns;
    std::int64_t place = 0;  // of its direction among all, where ranks share them out
    std::int64_t size() const { return rows * columns; }
  };
  /// Consecutive elements that AdamW moves.
  struct Span {
    std::int64_t begin, end;
    bool decays;
  };
  void find_parts();
  void share_matrices(Ranks& ranks);
  backprop::MuonArgs of_matrix(const Matrix& matrix, backprop::MuonArgs args) const noexcept;
  kernels::AdamWArgs of_span(const Span& span, kernels::AdamWArgs args) const noexcept;
  void step_on_cpu(const kernels::AdamWArgs& adamw, const backprop::MuonArgs& muon);
  void step_on_device(const kernels::AdamWArgs& adamw, const backprop::MuonArgs& muon, float root_bias2);

  Parameters& parameters_;
  OptimizerOptions options_;
  base::ThreadPool* pool_;
  OptimizerState state_;
  std::vector<Matrix> matrices_;         // the largest first
  std::vector<Span> spans_;              // short ones, for threads
  std::vector<backprop::Arena> arenas_;  // [num_threads]
  Ranks* ranks_ = nullptr;               // that share the matrices, if any do
  std::vector<int> owners_;              // [matrices]: the rank that finds its direction
  std::vector<torch::Tensor> shares_;    // [ranks]: the directions that each finds, one after another in directions_
  torch::Tensor directions_;
};

/// What one file should be: `label` with weight `first_share`, `other_label` with the rest (mixup); `weight` scales its
/// loss.
struct Target {
  int label = 0;
  int other_label = 0;
  float first_share = 1;
  float weight = 1;
};

/// The sum over files of the cross entropy between softmax(logits) and (1 - smoothing) target + smoothing / classes.
/// \param logits [files, classes]
torch::Tensor cross_entropy_sum(const torch::Tensor& logits, std::span<const Target> targets, double smoothing);

}  // namespace byteformer::train
