// How a run loads its batches, and how long one of them takes.
#pragma once

#include <chrono>

#include "data/data_set.hpp"
#include "data/loader.hpp"
#include "plan/plan.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// Wall time since a moment.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  void restart() { start_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// What the batches of `plan` are made of; of each, `runtime.ranks` loads a share.
data::LoaderOptions loader_options(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime);

}  // namespace byteformer::train
