// Runs of experiments: one (the trainer as a child, then the engine on the test files), and a session of many.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "console.hpp"
#include "data/metrics.hpp"
#include "experiments/run.hpp"

namespace byteformer::cli {

struct RunnerOptions {
  experiments::Places places;
  std::filesystem::path trainer;            ///< the program
  std::optional<std::int64_t> num_threads;  ///< of training and of the engine
  bool has_progress = true;
};

/// How far a run is, judged by what lies in its places.
enum class RunState { kNew, kStarted, kFinished, kOutdated };

class Runner {
 public:
  /// `book` must outlive this.
  Runner(const experiments::RecipeBook& book, RunnerOptions options) : book_(book), options_(std::move(options)) {}

  /// kOutdated: finished or started, but by other settings than the recipe's now.
  /// \throws Error if its log cannot be read.
  RunState state_of(const experiments::Run& run) const;

  /// Goes on where the run was left, or starts it. Its log is written when all is done.
  /// \throws Error if it fails; Interrupted, with everything saved.
  experiments::RunLog carry_out(const experiments::Run& run, Console& console) const;

  /// Removes what the run left.
  /// \throws Error kIo or kPermissionDenied.
  void forget(const experiments::Run& run) const;

 private:
  std::filesystem::path settings_path(const experiments::Run& run) const;
  void train(const experiments::Run& run) const;
  experiments::RekeyingLog rekey(const experiments::Run& run, Console& console) const;
  experiments::RunLog describe(const experiments::Run& run) const;

  /// What the engine says of the test files of some data, prepared as the model in `model_dir` expects.
  struct TestAnswers {
    std::string split;          ///< "test"; "validation" where the data have no test files
    data::Answers answers;      ///< of the files that could be read, in their order
    std::int64_t failures = 0;  ///< the others
  };
  TestAnswers answer_tests(const std::filesystem::path& model_dir, const experiments::DataSource& data,
                           Console& console) const;
  experiments::TestResult test(const experiments::Run& run, const experiments::DataSource& data,
                               Console& console) const;

  const experiments::RecipeBook& book_;
  RunnerOptions options_;
};

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

/// Writes what would be done: a comment and a command per run.
void show_plan(const experiments::RecipeBook& book, const std::vector<Task>& tasks, const experiments::Places& places,
               Console& console);

/// Does what is not done, and writes the results page after each run. A run that fails is said, and the others go on.
/// \returns how many failed. \throws Interrupted
int run_session(const experiments::RecipeBook& book, const Runner& runner, const experiments::Places& places,
                const std::vector<Task>& tasks, Console& console);

}  // namespace byteformer::cli
