// What a finished run tells people: a model card beside the weights, and a report with curves and mistakes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"

namespace byteformer::plan {

/// Everything that card and report show.
struct RunSummary {
  const TrainingPlan& plan;
  const data::DataSet& data;
  const std::vector<ValidationResult>& history;
  const std::vector<std::string>& failures;
  std::int64_t best_step = 0;
  double seconds = 0;
  double temperature = 1;
  data::Answers validation;                     ///< of the weights that were kept
  std::vector<std::size_t> validation_samples;  ///< indices into data.validation, as many as there are answers
};

/// Said of a model that only guesses (data::only_guesses): that it does, and what to try for `plan`.
std::string guessing_text(const TrainingPlan& plan);

/// Markdown: what the model is for, how it was made, how good it is, what it cannot do.
std::string model_card(const RunSummary& summary);

/// One HTML page that needs nothing else: curves, confusion matrix, the hardest files, the data, the plan.
std::string html_report(const RunSummary& summary);

}  // namespace byteformer::plan
