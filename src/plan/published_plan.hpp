// The plan of a published configuration: what it says, what the command line says otherwise, and what the data are.
#pragma once

#include <optional>

#include "data/data_set.hpp"
#include "plan/plan.hpp"
#include "plan/planner.hpp"
#include "plan/published_run.hpp"
#include "plan/settings.hpp"

namespace byteformer::plan {

struct PublishedTraining {
  TrainingPlan plan;
  std::optional<data::DataSet> data;  ///< nothing in a dry run without the data
};

/// Reads `asked.config` and finds the data: those of the command line, else where the configuration says they are.
/// \param asked with `config`
/// \throws Error as read_published_run() and data::find_data_set(); kInvalidArgument for options that the
///         configuration rules out; kNotFound, saying what a person must have, if the data are not there and this is no
///         dry run.
PublishedTraining plan_published(const Request& asked, const Machine& machine);

/// \param data null: they are not here, and steps are counted for the whole published data set
/// \throws Error kInvalidArgument or kInvalidModel for settings that contradict each other.
TrainingPlan choose_published_plan(const Request& asked, const PublishedRun& run, const data::DataSet* data,
                                   const Machine& machine);

}  // namespace byteformer::plan
