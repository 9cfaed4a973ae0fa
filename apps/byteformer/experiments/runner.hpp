// Runs an experiment: the trainer as a child, then the engine on the test files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "data/metrics.hpp"
#include "experiments/run.hpp"
#include "experiments/run_log.hpp"

namespace byteformer::cli {

struct TestAnswers {
  std::string split;          ///< "test"; "validation" where the data have no test files
  data::Answers answers;      ///< of the files that could be read, in their order
  std::int64_t failures = 0;  ///< the others
};

struct AnsweringOptions {
  int num_threads = 0;  ///< 0: one a processor
  bool has_progress = true;
};

/// Has the engine classify the test files of the data in `data_dir`, prepared as the model in `model_dir` expects.
/// \throws Error if model or data cannot be used, and where the data have neither test nor validation files;
/// Interrupted.
TestAnswers answer_tests(const std::filesystem::path& model_dir, const std::filesystem::path& data_dir,
                         const AnsweringOptions& options, Console& console);

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
  Runner(const experiments::RecipeBook& book, RunnerOptions options);

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
  void train_or_rekey(const experiments::Run& run, Console& console, experiments::RunLog& log) const;
  experiments::RekeyingLog rekey(const experiments::Run& run, Console& console) const;
  experiments::RunLog describe(const experiments::Run& run) const;
  experiments::TestResult test(const experiments::Run& run, const experiments::DataSource& data,
                               Console& console) const;

  const experiments::RecipeBook& book_;
  RunnerOptions options_;
  AnsweringOptions answering_;
};

}  // namespace byteformer::cli
