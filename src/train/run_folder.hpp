// A training run on disk: its plan, its log, and one checkpoint that is always whole.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/file_io.hpp"
#include "format/config.hpp"
#include "format/tensors.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"

namespace byteformer::train {

/// Numbers of a run in memory, by the names that they have in its checkpoint.
using FlatTensors = std::map<std::string, std::span<float>>;

/// `MODEL/training/` beside the model's files. All files are written atomically: a run killed at any instant resumes.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path model_dir);

  /// Whether a run has begun here.
  bool holds_run() const;

  /// Removes what a run leaves that was killed before its plan was written, and nothing else.
  void remove_unborn() const;

  /// Calls remove_unborn(). \throws Error kAlreadyExists if `model_dir` holds anything besides.
  void require_absent() const;

  /// \throws Error kAlreadyExists if `model_dir` holds anything; kIo, kPermissionDenied.
  void create(const plan::TrainingPlan& plan);

  /// \throws Error kNotFound saying what a run looks like.
  plan::TrainingPlan read_plan() const;

  /// Holds the run until the result goes: two processes would overwrite each other's checkpoints.
  /// \param patience  for one that was told to end
  /// \throws Error kAlreadyExists where another one holds it for so long. File systems without locks hold nobody.
  [[nodiscard]] base::Descriptor lock(std::chrono::milliseconds patience = std::chrono::seconds(5)) const;

  void save(const FlatTensors& tensors, const plan::Progress& progress) const;

  /// Fills `tensors` and `progress` from the checkpoint; returns false if there is none. Removes what killed runs were
  /// writing.
  /// \throws Error kInvalidFormat, kInvalidModel.
  bool load(const FlatTensors& tensors, plan::Progress& progress) const;

  /// Writes config.json and model.safetensors: the answer so far.
  void write_model(const format::ModelConfig& config, const format::NamedTensors& weights) const;

  const std::filesystem::path& model_dir() const noexcept { return model_dir_; }
  std::filesystem::path training_dir() const { return model_dir_ / "training"; }

 private:
  std::filesystem::path model_dir_;
};

}  // namespace byteformer::train
