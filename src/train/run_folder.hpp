// A training run on disk: its plan, its log, and one checkpoint that is always whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/evaluation.hpp"
#include "train/optimizer.hpp"
#include "train/plan.hpp"

namespace byteformer::train {

/// What a run knows besides its tensors.
struct Progress {
  std::int64_t step = 0;  ///< steps done
  double seconds = 0;     ///< of training so far, over all sessions
  double loss_sum = 0;    ///< since the last evaluation
  std::int64_t loss_count = 0;
  double best_top1 = -1, best_loss = 0;
  std::int64_t best_step = 0;
  double loss_scale = 65'536;   ///< float16 only
  std::int64_t good_steps = 0;  ///< since the loss scale changed
  std::vector<Evaluation> history;
  std::vector<std::string> failures;  ///< files that could not be read, with the reason
};

/// `MODEL/training/` beside the model's files. All files are written atomically: a run killed at any instant resumes.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path model_dir);

  /// \throws Error kAlreadyExists if `model_dir` holds anything; kIo, kPermissionDenied.
  void create(const TrainingPlan& plan);

  /// \throws Error kNotFound saying what a run looks like.
  TrainingPlan read_plan() const;

  void save(const Parameters& parameters, const OptimizerState& state, const Progress& progress) const;

  /// Whether there was a checkpoint; if so all four are as they were.
  /// \throws Error kInvalidFormat, kInvalidModel.
  bool load(Parameters& parameters, OptimizerState& state, Progress& progress) const;

  /// Writes config.json and model.safetensors: the answer so far.
  void write_model(const format::ModelConfig& config, const Parameters& parameters, const torch::Tensor& flat) const;

  const std::filesystem::path& model_dir() const noexcept { return model_dir_; }
  std::filesystem::path training_dir() const { return model_dir_ / "training"; }

 private:
  std::filesystem::path model_dir_;
};

}  // namespace byteformer::train
