// The training loop: batches, steps, evaluations, checkpoints. Whatever stops it, it goes on from there bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"
#include "train/run_folder.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// One step, for a progress display.
struct StepReport {
  std::int64_t step = 0;  ///< steps done
  double loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  std::int64_t samples = 0;
  double seconds = 0;  ///< of this step
};

/// Called by the thread that trains; all may be empty.
struct TrainingEvents {
  std::function<void(std::int64_t step)> on_start;  ///< once, with the steps that earlier sessions did
  std::function<void(const StepReport&)> on_step;
  std::function<void(const plan::ValidationResult&)> on_evaluation;
  std::function<void(const std::string&)> on_message;
  std::function<bool()> should_stop;  ///< asked after every step: Ctrl-C
};

/// How a run ended.
struct Outcome {
  bool is_finished = false;  ///< false: stopped, to be resumed
  bool is_out_of_time = false;
  plan::Progress progress;
  /// Of the weights that were kept, in the order of the validation samples that could be read.
  data::Answers validation;
  std::vector<std::size_t> validation_samples;  ///< which those are
  double temperature = 1;
};

/// Trains to the end of the plan, or until should_stop; then everything is saved. Starts, or goes on from the
/// checkpoint that `folder` holds. \throws Error kInternal if the loss stops being finite, saying what to try; what was
/// saved stays.
Outcome train(const plan::TrainingPlan& plan, const data::DataSet& data, const RunFolder& folder,
              const Runtime& runtime, const TrainingEvents& events);

/// Seconds that one step of `plan` takes here, measured on real batches with weights that are thrown away.
double measure_step_seconds(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime);

}  // namespace byteformer::train
