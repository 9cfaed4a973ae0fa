// What the runs of an experiment amount to, and the results page: for each table of the paper what came out here,
// beside what the paper reports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/run.hpp"

namespace byteformer::experiments {

/// One experiment judged by the test files of one data set.
struct TestOutcome {
  const Recipe* recipe = nullptr;
  const DataSource* tests = nullptr;
  std::vector<double> top1;   ///< percent, one per seed
  std::int64_t files = 0;     ///< that judged each model
  std::int64_t failures = 0;  ///< files that could not be read, over all seeds
  bool is_outdated = false;   ///< at least one run had other settings than the recipe has now

  double mean() const;
  std::optional<double> deviation() const;  ///< sample standard deviation; of two seeds or more
  std::string text() const;                 ///< "97.12 ± 0.30"
};

/// The logs of a recipe's seeds at one scale.
struct RecipeLogs {
  const Recipe* recipe = nullptr;
  std::vector<RunLog> logs;           ///< of those seeds that were run, in their order
  std::vector<TestOutcome> outcomes;  ///< one for each of the tests; empty where nothing was run

  std::optional<double> mean_seconds() const;  ///< of training
  bool are_bit_identical() const;              ///< all were rekeyed, and all logits are those of the plain models
};

/// By the recipe's name.
using LogsByName = std::map<std::string, RecipeLogs, std::less<>>;

/// Reads all logs of `scale`. \throws Error naming a log that cannot be read.
LogsByName read_logs(const RecipeBook& book, Scale scale, const Places& places);

/// docs/results.md beside docs/results.
std::filesystem::path page_path(const Places& places);

/// Writes the page and its plots (TABLE.svg, TABLE-curves.svg in `places.results`) from the logs there, and from
/// notes/TABLE.md, sentences of a person, in which {NAME} stands for the mean accuracy of an experiment.
/// \throws Error naming a log or note that cannot be used; kIo, kPermissionDenied.
void write_report(const RecipeBook& book, const Places& places);

}  // namespace byteformer::experiments
