// Options that the commands of `byteformer experiments` share.
#pragma once

#include <optional>
#include <string>

#include "experiments/recipe_book.hpp"
#include "experiments/run.hpp"

namespace byteformer::cli {

struct CommandLine;

struct ExperimentsOptions {
  std::optional<std::string> recipes, data, output, results, scale;

  experiments::Scale wanted_scale() const;       ///< default: small
  experiments::RecipeBook read_recipes() const;  ///< \throws Error as experiments::read_recipes()
  experiments::Places places() const;
};

void add_recipes_option(CommandLine& line, ExperimentsOptions& options);
void add_scale_option(CommandLine& line, ExperimentsOptions& options);
void add_data_option(CommandLine& line, ExperimentsOptions& options);
void add_output_option(CommandLine& line, ExperimentsOptions& options);
void add_results_option(CommandLine& line, ExperimentsOptions& options);

}  // namespace byteformer::cli
