// What a person sees while a model trains: a line that moves on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "train/run_folder.hpp"
#include "train/trainer.hpp"

namespace byteformer::train_app {

/// Writes to standard error.
class ProgressDisplay {
 public:
  ProgressDisplay(const plan::TrainingPlan& plan, bool is_quiet);

  void show(const train::StepReport& report);
  void show(const plan::ValidationResult& evaluation);
  void say(const std::string& message);  ///< a line of its own
  void finish();

 private:
  std::string line(const train::StepReport& report) const;
  void clear();

  const plan::TrainingPlan& plan_;
  bool is_quiet_;
  bool is_terminal_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now() - std::chrono::hours(1);
  double smooth_loss_ = 0;
  double smooth_rate_ = 0;  // files a second
  double smooth_step_s_ = 0;
  std::int64_t seen_ = 0;
};

}  // namespace byteformer::train_app
