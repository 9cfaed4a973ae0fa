// One run of an experiment: a recipe at one scale with one seed; what it asks of the trainer, and where things lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/recipe_book.hpp"
#include "plan/settings.hpp"

namespace byteformer::experiments {

struct Run {
  const Recipe* recipe = nullptr;
  Scale scale = Scale::kSmall;
  std::int64_t seed = 0;
  std::optional<std::int64_t> steps;  ///< so many instead of the recipe's: a trial, no result

  const ScaledRecipe& at_scale() const noexcept { return recipe->at(scale); }
  bool operator==(const Run&) const = default;
};

/// Where the data are, and where things go.
struct Places {
  std::filesystem::path data = "data";             ///< holds the folders of data sets
  std::filesystem::path models = "experiments";    ///< models, and what a resume needs
  std::filesystem::path results = "docs/results";  ///< holds runs/ and plots; the page is beside it, results.md
};

/// Those runs that `recipes` ask for: first the first seed of every recipe, then the second seeds, ... What others
/// rekey comes before them, also where it was not asked for.
/// \param num_seeds so many of each recipe's seeds at most, if given
std::vector<Run> schedule(const RecipeBook& book, const std::vector<const Recipe*>& recipes, Scale scale,
                          std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps);

/// The run whose model `run` rekeys, which must be one that rekeys.
Run rekeyed_run(const RecipeBook& book, const Run& run);

/// "image_tiff, seed 0"
std::string to_string(const Run& run);

/// What is asked of the trainer, data and output included.
plan::Request training_request(const Run& run, const Places& places);

/// The command line that does what `run` asks for.
std::string training_command(const RecipeBook& book, const Run& run, const Places& places);

/// Everything that decides what `run` computes, as JSON in one line: the same wherever data and models are.
std::string settings_json(const RecipeBook& book, const Run& run);

/// 16 hexadecimal digits that change with settings_json().
std::string fingerprint(const RecipeBook& book, const Run& run);

std::filesystem::path model_dir(const Run& run, const Places& places);
std::filesystem::path log_path(const Run& run, const Places& places);

}  // namespace byteformer::experiments
