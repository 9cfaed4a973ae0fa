// Means, deviations, and whether rekeyed models say the same bits.
#include "experiments/outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace byteformer::experiments {
namespace {

void add(const RunLog& log, bool is_outdated, const Recipe& recipe, RecipeLogs& of_recipe) {
  for (const TestResult& test : log.tests) {
    const DataSource* const source = find_data_source(test.data);
    if (source == nullptr) continue;
    auto found = std::ranges::find(of_recipe.outcomes, source, &Outcome::tests);
    if (found == of_recipe.outcomes.end()) {
      of_recipe.outcomes.push_back({&recipe, source, {}, 0, 0, false});
      found = of_recipe.outcomes.end() - 1;
    }
    found->top1.push_back(100 * test.top1);
    found->files = test.files;
    found->failures += test.failures;
    found->is_outdated = found->is_outdated || is_outdated;
  }
}

}  // namespace

double Outcome::mean() const {
  return std::accumulate(top1.begin(), top1.end(), 0.0) / static_cast<double>(top1.size());
}

std::optional<double> Outcome::deviation() const {
  if (top1.size() < 2) return std::nullopt;
  double sum = 0;
  for (const double value : top1) sum += (value - mean()) * (value - mean());
  return std::sqrt(sum / static_cast<double>(top1.size() - 1));
}

std::string Outcome::text() const {
  const auto spread = deviation();
  return fmt::format("{:.2f}{}{}", mean(), spread ? fmt::format(" ± {:.2f}", *spread) : "", is_outdated ? " †" : "");
}

std::optional<double> RecipeLogs::mean_seconds() const {
  double sum = 0;
  int count = 0;
  for (const RunLog& log : logs)
    if (log.training) sum += log.training->seconds, ++count;
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

bool RecipeLogs::are_bit_identical() const {
  return !logs.empty() &&
         std::ranges::all_of(logs, [](const RunLog& log) { return log.rekeying && log.rekeying->is_bit_identical; });
}

LogsByName read_logs(const RecipeBook& book, Scale scale, const Places& places) {
  LogsByName logs;
  for (const Recipe& recipe : book.recipes) {
    RecipeLogs& of_recipe = logs[recipe.name];
    of_recipe.recipe = &recipe;
    for (const std::int64_t seed : recipe.at(scale).seeds) {
      const Run run{&recipe, scale, seed, {}};
      std::optional<RunLog> log = find_log(run, places);
      if (!log) continue;
      add(*log, log->fingerprint != fingerprint(book, run), recipe, of_recipe);
      of_recipe.logs.push_back(std::move(*log));
    }
  }
  return logs;
}

}  // namespace byteformer::experiments
