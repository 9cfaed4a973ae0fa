// Which runs are to be done, what is there of them, and what may become of that.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "console.hpp"
#include "experiments/run.hpp"
#include "experiments/runner.hpp"

namespace byteformer::cli {

struct Task {
  experiments::Run run;
  RunState state = RunState::kNew;
  bool is_asked_for = true;  ///< false: another run needs its model
};

/// The runs of `recipes`, and those that they need, in the order in which they are done. \see experiments::schedule()
std::vector<Task> find_tasks(const experiments::RecipeBook& book, const Runner& runner,
                             const std::vector<const experiments::Recipe*>& recipes, experiments::Scale scale,
                             std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps);

/// \throws Error kNotFound where data are missing: before hours of work, not after.
void check_data(const std::vector<Task>& tasks, const experiments::Places& places);

/// \throws UsageError where runs of other settings would be mixed with theirs, or, unless `resumes`, where something
/// that was asked for is there already.
void check_states(const std::vector<Task>& tasks, bool resumes);

/// Removes what is there of the runs that were asked for, and of outdated ones: they are to be done anew.
/// A run of which something cannot be deleted is said, and is no task any more.
/// \returns how many those are.
int forget(const Runner& runner, std::vector<Task>& tasks, Console& console);

/// Writes what would be done: a comment and a command a run.
void show_plan(const experiments::RecipeBook& book, const std::vector<Task>& tasks, const experiments::Places& places,
               Console& console);

}  // namespace byteformer::cli
