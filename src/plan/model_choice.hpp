// Chooses how files are prepared and what the model looks like.
#pragma once

#include "data/data_set.hpp"
#include "data/survey.hpp"
#include "plan/plan.hpp"
#include "plan/settings.hpp"

namespace byteformer::plan {

/// Sets `plan.preprocess` and `plan.max_bytes`. \throws Error kInvalidArgument
void choose_preprocess(const Request& request, const data::Survey& survey, TrainingPlan& plan);

/// Sets `plan.config`; `plan.preprocess` is set. \throws Error kInvalidArgument
void choose_model(const Request& request, const data::DataSet& data, const data::Survey& survey, TrainingPlan& plan);

/// Puts the format of --encode into the part of `plan.preprocess` that it belongs to.
/// \throws Error kInvalidArgument if there is no such part.
void apply_format(const Request& request, TrainingPlan& plan);

/// The sizes of the preset (or of `preset`, if none is asked for), and over them what is asked for one by one.
/// \throws Error kInvalidArgument for an unknown preset.
void apply_sizes(const Request& request, const std::string& preset, format::PartialConfig& config);

/// Sets `plan.config` to that of the model that training starts from.
void take_initial_model(const Request& request, TrainingPlan& plan);

/// Adds classes and `plan.preprocess` to `plan.config`, checks it and describes it.
void complete_model(const std::vector<std::string>& classes, TrainingPlan& plan);

}  // namespace byteformer::plan
