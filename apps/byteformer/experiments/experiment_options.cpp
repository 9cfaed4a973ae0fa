// Declares the options that commands about experiments share.
#include "experiments/experiment_options.hpp"

#include <filesystem>
#include <system_error>

#include "base/file_io.hpp"
#include "cli.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;

/// The recipes of the source tree that we stand in; else those that are installed with this program.
fs::path default_recipes() {
  std::error_code error;
  if (fs::is_directory("recipes", error)) return "recipes";
  const fs::path installed = base::program_folder().parent_path() / "share" / "byteformer" / "recipes";
  return fs::is_directory(installed, error) ? installed : fs::path("recipes");
}

}  // namespace

experiments::Scale ExperimentsOptions::wanted_scale() const {
  return scale == "paper" ? experiments::Scale::kPaper : experiments::Scale::kSmall;
}

experiments::RecipeBook ExperimentsOptions::read_recipes() const {
  return experiments::read_recipes(recipes ? fs::path(*recipes) : default_recipes());
}

experiments::Places ExperimentsOptions::places() const {
  experiments::Places places;
  if (data) places.data = *data;
  if (output) places.models = *output;
  if (results) places.results = *results;
  return places;
}

void add_recipes_option(CommandLine& line, ExperimentsOptions& options) {
  add_text(line, "--recipes", options.recipes, "DIR", "Recipes (default: recipes, or those installed)");
}

void add_scale_option(CommandLine& line, ExperimentsOptions& options) {
  add_choice(line, "--scale", options.scale, {"small", "paper"},
             "Minutes on two cores, or as published (default: small)");
}

void add_data_option(CommandLine& line, ExperimentsOptions& options) {
  add_text(line, "-d,--data", options.data, "DIR", "Folder that holds the data sets (default: data)");
}

void add_output_option(CommandLine& line, ExperimentsOptions& options) {
  add_text(line, "-o,--output", options.output, "DIR", "Folder for the models (default: experiments)");
}

void add_results_option(CommandLine& line, ExperimentsOptions& options) {
  add_text(line, "--results", options.results, "DIR",
           "Folder for logs and plots; the page is DIR.md (default: docs/results)");
}

}  // namespace byteformer::cli
