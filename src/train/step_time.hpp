// How long a step takes here, for plans with a budget of time.
#pragma once

#include "data/data_set.hpp"
#include "plan/plan.hpp"
#include "train/runtime.hpp"

namespace byteformer::train {

/// Seconds that one step of `plan` takes here, measured on real batches with weights that are thrown away.
double measure_step_seconds(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime);

}  // namespace byteformer::train
