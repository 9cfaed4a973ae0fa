// Chooses how files are prepared and what the model looks like.
#pragma once

#include "data/data_set.hpp"
#include "data/survey.hpp"
#include "data/training_request.hpp"
#include "train/plan.hpp"

namespace byteformer::train {

/// Sets `plan.preprocess` and `plan.max_bytes`. \throws Error kInvalidArgument
void choose_preprocess(const data::TrainingRequest& request, const data::Survey& survey, TrainingPlan& plan);

/// Sets `plan.config`; `plan.preprocess` is set. \throws Error kInvalidArgument
void choose_model(const data::TrainingRequest& request, const data::DataSet& data, const data::Survey& survey,
                  TrainingPlan& plan);

}  // namespace byteformer::train
