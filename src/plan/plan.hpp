// Everything that decides what a training run computes: fixed at its start, stored with it, the same when it resumes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/augmentation.hpp"
#include "format/config.hpp"
#include "plan/settings.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::plan {

/// The learning rate where none is asked for.
inline constexpr double kUsualRate = 1e-3;

/// Linear warm-up, then half a cosine.
struct Schedule {
  double max_lr = kUsualRate;
  double min_lr = 2e-5;
  double warmup_init_lr = 1e-6;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps = 0;
  std::int64_t steps_per_epoch = 1;
  bool is_per_epoch = false;  ///< published: the cosine moves once per epoch

  bool operator==(const Schedule&) const = default;
};

/// The learning rate of step `step`, counted from 0.
double learning_rate(const Schedule& schedule, std::int64_t step) noexcept;

/// In place of a model to start from (Request::init_from): random weights.
inline constexpr const char* kFromNothing = "none";

struct TrainingPlan {
  std::string data;                             ///< as it was given
  std::string data_absolute, data_from_output;  ///< where it lay when the run began, also as seen from the output
  std::string data_set;  ///< the name of a published one, where a published configuration says so
  format::ModelConfig config;
  prepare::Preprocess preprocess;
  data::ImageAugmentation image_augmentation;
  data::SoundAugmentation sound_augmentation;
  std::int64_t max_bytes = 0;  ///< training cuts longer files to a random piece; 0: never

  Schedule schedule;
  std::int64_t batch_size = 64;        ///< files per step, whatever the number of passes that it takes
  std::int64_t token_budget = 32'768;  ///< tokens per pass, at most, if a file alone does not have more
  std::int64_t evaluate_every = 0;     ///< steps
  std::string optimizer = "adamw";     ///< or "muon"; plans of earlier versions do not say
  double weight_decay = 0.05;
  double label_smoothing = 0.1;
  double clip_norm = 0;  ///< of all gradients; 0: off
  double ema_momentum = 1e-4;
  double dropout = 0;
  double stochastic_depth = 0;
  double validation_fraction = 0.1;
  std::string task;               ///< of Speech Commands: "speech-commands-12" or "speech-commands-35"; mostly empty
  std::string split_by = "auto";  ///< how validation is split off: "auto", "speaker" or "file"
  bool balance_classes = false;
  bool balance_kinds = false;
  std::string initialisation = "released";  ///< "released", "normal" or "filter-bank"
  std::string precision = "float32";
  std::string device = "cpu";
  std::string init_from;  ///< a model folder; empty: random weights
  std::uint64_t seed = 0;
  std::uint64_t split_seed = 0;  ///< of the validation files; another than `seed` where a run keeps its start's split
  double time_s = 0;             ///< the budget; 0: none
  std::string data_fingerprint;  ///< of the names, sizes and labels of all files

  Request asked;                     ///< what started the run; plans of earlier versions do not say
  std::string command;               ///< the same as people type it
  std::vector<std::string> reasons;  ///< why it is as it is, for people

  double epochs() const {
    return static_cast<double>(schedule.total_steps) / static_cast<double>(schedule.steps_per_epoch);
  }
};

/// \throws Error kAlreadyExists where a new run's model folder holds something, saying how to go on with it.
void require_absent(const std::filesystem::path& model_dir);

/// Notes where the data lie, so that a resume from another folder finds them. \param output folder of the run
void remember_places(TrainingPlan& plan, const std::filesystem::path& output);

/// Where the data of a run are now: where they were, or, if the run moved together with them, as far from `output` as
/// then.
std::filesystem::path data_place(const TrainingPlan& plan, const std::filesystem::path& output);

std::string to_json(const TrainingPlan& plan);

/// The settings that decide the result, as far as a plan tells them.
Request chosen_settings(const TrainingPlan& plan);

/// For a run that goes on. \throws Error kInvalidArgument naming each setting of `request` that would change the
/// result.
void require_same_result(const Request& request, const TrainingPlan& plan);

/// Takes over from `request` what may change of the plan when a run goes on. \returns what to tell people of that.
std::vector<std::string> take_changes(const Request& request, TrainingPlan& plan);

/// \throws Error kInvalidFormat naming `source`.
TrainingPlan parse_plan(const std::string& json, const std::string& source);

}  // namespace byteformer::plan
