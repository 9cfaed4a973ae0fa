// A session of experiments: what is to be done, and what is left of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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

class Session {
 public:
  /// All must outlive this.
  Session(const experiments::RecipeBook& book, const Runner& runner, const experiments::Places& places,
          Console& console)
      : book_(book), runner_(runner), places_(places), console_(console) {}

  /// Does what is not done, and writes the results page after each run. A run that fails is said, and the others go on.
  /// \returns how many failed. \throws Interrupted
  int run(const std::vector<Task>& tasks);

 private:
  bool carry_out(const Task& task);
  std::string time_left(std::size_t num_left) const;
  void say(const std::string& line) const;

  const experiments::RecipeBook& book_;
  const Runner& runner_;
  const experiments::Places& places_;
  Console& console_;
  double seconds_ = 0;  // that runs took
  int num_timed_ = 0;   // how many
};

}  // namespace byteformer::cli
