// A log for tests.
#pragma once

#include <string>

#include "example_book.hpp"
#include "experiments/run.hpp"

namespace byteformer::experiments {

inline RunLog example_log(const std::string& experiment, std::int64_t seed, double top1) {
  RunLog log;
  log.experiment = experiment;
  log.scale = "small";
  log.seed = seed;
  log.command = "byteformer train";
  log.fingerprint = "0123456789abcdef";
  log.version = "1.2.3";
  log.machine = "a machine, 2 threads";
  log.training = TrainingLog{"fedcba9876543210", 20, 20, 2, 61, {}};
  log.training->history.push_back({.step = 10, .train_loss = 2, .loss = 1.5, .top1 = 0.4, .seconds = 30});
  log.training->history.push_back({.step = 20, .train_loss = 1, .loss = 0.5, .top1 = 0.8, .seconds = 60});
  log.tests.push_back({"mnist", "test", 10'000, 0, top1, 0.25});
  return log;
}

/// Writes it as the log of `run`, with the fingerprint of its recipe.
inline void write_example(const RecipeBook& book, const Run& run, double top1, const Places& places) {
  RunLog log = example_log(run.recipe->name, run.seed, top1);
  log.fingerprint = fingerprint(book, run);
  write_log(run, log, places);
}

}  // namespace byteformer::experiments
