// What comes before the first step: a plan and its data, the same on all ranks.
#pragma once

#include <filesystem>
#include <string>

#include "data/data_set.hpp"
#include "plan/plan.hpp"
#include "plan/settings.hpp"
#include "train/ranks.hpp"
#include "train/runtime.hpp"

namespace byteformer::train_app {

struct Prepared {
  plan::TrainingPlan plan;
  data::DataSet data;
  std::filesystem::path output;
  bool is_new = true;
};

/// A line on standard error.
void say(const std::string& line);

/// Compares what all ranks are asked for and made of. Collective.
/// \throws Error kInvalidArgument on the first, naming both sides and what each has.
void require_alike(const plan::Request& request, train::Ranks& ranks);

/// Finds or makes the plan, on the first rank, and the data, on each. Collective.
/// \throws Error
Prepared prepare(const plan::Request& request, const train::Runtime& runtime);

}  // namespace byteformer::train_app
