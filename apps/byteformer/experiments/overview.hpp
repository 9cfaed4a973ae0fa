// Which experiments there are, and what one of them is, for people and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/recipe_book.hpp"
#include "experiments/run.hpp"

namespace byteformer::cli {

/// A line of the list.
struct OverviewRow {
  const experiments::Recipe* recipe = nullptr;
  const experiments::ScaledRecipe* scaled = nullptr;
  std::int64_t num_seeds = 0, num_done = 0;
  std::optional<double> top1;  ///< percent, mean over the runs that are done and over their data
};

/// Runs of other settings than the recipe's now do not count.
/// \throws Error where a log cannot be read.
std::vector<OverviewRow> overview(const experiments::RecipeBook& book, experiments::Scale scale,
                                  const experiments::Places& places);
std::string overview_text(const std::vector<OverviewRow>& rows, const experiments::RecipeBook& book);
std::string overview_json(const std::vector<OverviewRow>& rows);

std::string description_text(const experiments::RecipeBook& book, const experiments::Recipe& recipe,
                             experiments::Scale scale, const experiments::Places& places);
std::string description_json(const experiments::RecipeBook& book, const experiments::Recipe& recipe,
                             experiments::Scale scale, const experiments::Places& places);

}  // namespace byteformer::cli
