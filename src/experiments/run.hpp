// One run of an experiment: a recipe at one scale with one seed; what it asks of the trainer, where things lie, and
// what is kept of it: enough to trace each number in the results to how it came about.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/recipe_book.hpp"
#include "plan/progress.hpp"
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

/// How the training went.
struct TrainingLog {
  std::string data_fingerprint;  ///< of names, sizes and labels of all files
  std::int64_t steps = 0, best_step = 0;
  double epochs = 0;
  double seconds = 0;
  std::vector<plan::ValidationResult> history;  ///< logs do not hold its top-5 and learning rates
};

/// How the engine judged the model by test files.
struct TestResult {
  std::string data;   ///< a DataSource's name
  std::string split;  ///< "test" or "validation"
  std::int64_t files = 0, failures = 0;
  double top1 = 0, loss = 0;
};

/// Whether a rekeyed model says of permuted files what the plain model says of plain files.
struct RekeyingLog {
  std::string of;  ///< the experiment whose model was rekeyed
  std::int64_t files = 0;
  bool is_bit_identical = false;  ///< all logits of all files
};

struct RunLog {
  std::string experiment, scale;
  std::int64_t seed = 0;
  std::string command;      ///< of the training, with the default folders
  std::string fingerprint;  ///< of everything that decides what is computed
  std::string version;      ///< of byteformer
  std::string machine;
  std::optional<TrainingLog> training;  ///< none where a model was rekeyed
  std::optional<RekeyingLog> rekeying;
  std::vector<TestResult> tests;
};

/// At most `most` points of `history`, evenly spread; first and last stay.
std::vector<plan::ValidationResult> thinned(const std::vector<plan::ValidationResult>& history, std::size_t most = 24);

std::string to_json(const RunLog& log);

/// \throws Error kInvalidFormat naming `source` and the key.
RunLog parse_run_log(std::string_view json, const std::string& source);

/// The log of `run`; nothing where there is none.
/// \throws Error as parse_run_log() and base::read_text_file().
std::optional<RunLog> find_log(const Run& run, const Places& places);

/// \throws Error kIo, kPermissionDenied
void write_log(const Run& run, const RunLog& log, const Places& places);

}  // namespace byteformer::experiments
