// What a training starts from where nobody says so: a model that ships and knows files of the same kind.
#pragma once

#include "data/survey.hpp"
#include "plan/plan.hpp"
#include "plan/planner.hpp"
#include "plan/settings.hpp"

namespace byteformer::plan {

/// Whether the model that training starts from was chosen here, so that it must suit the data and not the other way
/// round.
bool is_own_start(const TrainingPlan& plan);

/// Sets `plan.init_from` to the shipped model whose kind of files `survey` found, where `request` neither names a start
/// nor says anything of the model or its files that the start would not be; otherwise leaves it.
void choose_start(const Request& request, const data::Survey& survey, const Machine& machine, TrainingPlan& plan);

}  // namespace byteformer::plan
