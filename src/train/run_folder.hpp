// A training run on disk: its plan, its log, and one checkpoint that is always whole.
#pragma once

#include <filesystem>

#include "format/config.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"

namespace at {
class Tensor;
}

namespace byteformer::train {

class Parameters;
struct OptimizerState;

/// `MODEL/training/` beside the model's files. All files are written atomically: a run killed at any instant resumes.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path model_dir);

  /// \throws Error kAlreadyExists if `model_dir` holds anything.
  void require_absent() const;

  /// \throws Error kAlreadyExists if `model_dir` holds anything; kIo, kPermissionDenied.
  void create(const plan::TrainingPlan& plan);

  /// \throws Error kNotFound saying what a run looks like.
  plan::TrainingPlan read_plan() const;

  void save(const Parameters& parameters, const OptimizerState& state, const plan::Progress& progress) const;

  /// Whether there was a checkpoint; if so all four are as they were.
  /// \throws Error kInvalidFormat, kInvalidModel.
  bool load(Parameters& parameters, OptimizerState& state, plan::Progress& progress) const;

  /// Writes config.json and model.safetensors: the answer so far.
  void write_model(const format::ModelConfig& config, const Parameters& parameters, const at::Tensor& flat) const;

  const std::filesystem::path& model_dir() const noexcept { return model_dir_; }
  std::filesystem::path training_dir() const { return model_dir_ / "training"; }

 private:
  std::filesystem::path model_dir_;
};

}  // namespace byteformer::train
