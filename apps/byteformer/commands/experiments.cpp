// `byteformer experiments`: lists, shows and runs the paper's experiments, and writes their report.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_io.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "experiments/recipe_book.hpp"
#include "experiments/report.hpp"
#include "experiments/run.hpp"
#include "experiments/runner.hpp"
#include "output/json.hpp"
#include "output/text.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using experiments::Recipe;
using experiments::RecipeBook;
using experiments::Scale;
using experiments::ScaledRecipe;
using plan::Request;

/// Of all commands about experiments.
struct Options {
  std::optional<std::string> recipes, data, output, results, scale, name;
  std::vector<std::string> names;
  std::optional<std::int64_t> seeds, steps, threads;
  bool resume = false, force = false, dry_run = false, no_progress = false, json = false;

  Scale wanted_scale() const { return scale == "paper" ? Scale::kPaper : Scale::kSmall; }

  /// Those that are named; else those of the source tree that we stand in; else those installed with this program.
  RecipeBook read_recipes() const {
    if (recipes) return experiments::read_recipes(*recipes);
    const fs::path here = "recipes";
    const fs::path installed = base::program_folder().parent_path() / "share" / "byteformer" / here;
    return experiments::read_recipes(!base::is_folder(here) && base::is_folder(installed) ? installed : here);
  }

  /// A trial of a few steps is no result: it has folders of its own.
  experiments::Places places() const {
    experiments::Places places;
    if (data) places.data = *data;
    if (output) places.models = *output;
    if (steps) places.models /= fmt::format("trial-{}", *steps);
    if (steps) places.results = places.models / "results";
    if (results) places.results = *results;
    return places;
  }
};

void add_recipes_option(CommandLine& line, Options& options) {
  add_text(line, "--recipes", options.recipes, "DIR", "Recipes (default: recipes, or those installed)");
}

void add_scale_option(CommandLine& line, Options& options) {
  add_choice(line, "--scale", options.scale, {"small", "paper"},
             "Minutes on two cores, or as published (default: small)");
}

void add_data_option(CommandLine& line, Options& options) {
  add_text(line, names_of(&Request::data), options.data, "DIR", "Folder that holds the data sets (default: data)");
}

void add_output_option(CommandLine& line, Options& options) {
  add_text(line, names_of(&Request::output), options.output, "DIR", "Folder for the models (default: experiments)");
}

void add_results_option(CommandLine& line, Options& options) {
  add_text(line, "--results", options.results, "DIR",
           "Folder for logs and plots; the page is DIR.md (default: docs/results)");
}

constexpr const char* kRunDetails =
    R"(Trains each experiment once per seed, as `byteformer train` does, judges the model by its test files, as `byteformer
eval` does, keeps a log in RESULTS/runs, and writes the page RESULTS.md with its plots anew after each run. The first seeds
of all experiments come first, then the second ones. Models, and what a resume needs, are kept in OUTPUT.

Nothing is overwritten silently: where there are results or unfinished runs, --resume goes on with those that were
interrupted and leaves out those that are done; --force makes all anew. A training resumes bit for bit. A run that fails
is said, and the others go on.

At the small scale, data come from `scripts/unpack_data.sh`, and a run takes minutes on two cores; all of them, by
estimate, a night. At the paper's scale you need ImageNet or Speech Commands v2 below the folder of data, and a cluster.

Examples:
  byteformer experiments run image_tiff
  byteformer experiments run camera_0.05_k4 camera_0.1_k4 --seeds 1
  byteformer experiments run all --resume
  byteformer experiments run all --dry-run                    # what would be done
  byteformer experiments run image_tiff --scale paper --data /data

Exit status: 0 all done, 1 some runs failed, 2 the options make no sense, 3 nothing could be done, 130 interrupted and
saved.)";

std::vector<const Recipe*> find_recipes(const RecipeBook& book, const std::vector<std::string>& names) {
  std::vector<const Recipe*> recipes;
  if (names == std::vector<std::string>{"all"})
    for (const Recipe& recipe : book.recipes) recipes.push_back(&recipe);
  else
    for (const std::string& name : names) recipes.push_back(&book.at(name));
  return recipes;
}

int run(const Options& options, Console& console) {
  const RecipeBook book = options.read_recipes();
  const std::vector<const Recipe*> recipes = find_recipes(book, options.names);
  const experiments::Places places = options.places();
  RunnerOptions runs{places, {}, options.threads, !options.no_progress};
  if (!options.dry_run) runs.trainer = find_trainer("experiments need");
  const Runner runner(book, runs);
  std::vector<Task> tasks = find_tasks(book, runner, recipes, options.wanted_scale(), options.seeds, options.steps);
  if (options.dry_run) {
    show_plan(book, tasks, places, console);
    return kExitOk;
  }
  check_data(tasks, places);
  int num_failed = 0;
  if (options.force)
    num_failed = forget(runner, tasks, console);
  else
    check_states(tasks, options.resume);
  watch_for_interrupt({SIGINT, SIGTERM});
  try {
    num_failed += run_session(book, runner, places, tasks, console);
    experiments::write_report(book, places);
    console.err << fmt::format("results: {}\n", base::printable(experiments::page_path(places))) << std::flush;
    return num_failed == 0 ? kExitOk : kExitInputFailed;
  } catch (const Interrupted&) {
    console.err << "interrupted; everything is saved. Go on with the same command and " +
                       plan::option_name(&Request::resume) + "\n"
                << std::flush;
    return kExitInterrupted;
  }
}

int report(const Options& options, Console& console) {
  const experiments::Places places = options.places();
  experiments::write_report(options.read_recipes(), places);
  console.out << base::printable(experiments::page_path(places)) + "\n";
  return kExitOk;
}

constexpr const char* kListDetails =
    R"(One line per experiment, table by table: how many runs (seeds) of the wanted scale are done, the mean accuracy of their
test files, and what the paper reports, as far as that is confirmed.

Examples:
  byteformer experiments list
  byteformer experiments list --json | jq '.[] | select(.done < .seeds) | .name'

JSON:
  [{"name","title","table","data","seeds","done","top1","paper","source"}]

"seeds" and "done" are numbers of runs; "top1" and "paper" are in percent, null where there is none.)";

constexpr const char* kShowDetails =
    R"(The question, the data, the settings, the command that trains the first seed, and what the paper says.

Examples:
  byteformer experiments show camera_0.1_k4
  byteformer experiments show camera_0.1_k4 --scale paper

JSON:
  {"name","title","table","question","scale","data","tests":[data],"seeds":[numbers],
   "rekeys","command","fingerprint","paper","source","remark"}

"paper" is the accuracy in percent that "source" reports, null where none is confirmed.)";

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();  // written as null

/// A line of the list.
struct OverviewRow {
  const Recipe* recipe = nullptr;
  const ScaledRecipe* scaled = nullptr;
  std::int64_t num_seeds = 0, num_done = 0;
  std::optional<double> top1 = {};  ///< percent, mean over the runs that are done and over their data
};

/// What the paper reports, as far as that is confirmed.
std::optional<double> reported(const Recipe& recipe) {
  return recipe.figure ? std::optional(recipe.figure->top1) : std::nullopt;
}

/// Runs of other settings than the recipe's now do not count.
/// \throws Error where a log cannot be read.
std::vector<OverviewRow> overview(const RecipeBook& book, Scale scale, const experiments::Places& places) {
  std::vector<OverviewRow> rows;
  for (const Recipe& recipe : book.recipes) {
    OverviewRow row{&recipe, &recipe.at(scale)};
    double sum = 0;
    std::int64_t count = 0;
    for (const std::int64_t seed : row.scaled->seeds) {
      ++row.num_seeds;
      const experiments::Run run{&recipe, scale, seed, {}};
      const auto log = experiments::find_log(run, places);
      if (!log || log->fingerprint != experiments::fingerprint(book, run)) continue;
      ++row.num_done;
      for (const experiments::TestResult& test : log->tests) sum += 100 * test.top1, ++count;
    }
    if (count > 0) row.top1 = sum / static_cast<double>(count);
    rows.push_back(row);
  }
  return rows;
}

std::string overview_text(const std::vector<OverviewRow>& rows, const RecipeBook& book) {
  using enum Table::Align;
  const auto text = [](const std::optional<double>& figure) { return figure ? fmt::format("{:.2f}", *figure) : ""; };
  Table table({{"experiment", kLeft},
               {"what the model reads", kLeft},
               {"table", kLeft},
               {"data", kLeft},
               {"runs"},
               {"top-1, %"},
               {"paper, %"}});
  for (const OverviewRow& row : rows)
    table.add_row({row.recipe->name, row.recipe->title, book.table_of(*row.recipe).title,
                   std::string(row.scaled->data->name), fmt::format("{}/{}", row.num_done, row.num_seeds),
                   text(row.top1), text(reported(*row.recipe))});
  return table.text();
}

void write_figure(JsonWriter& json, const Recipe& recipe) {
  json.field("paper", reported(recipe).value_or(kNull)).field("source", recipe.figure ? recipe.figure->source : "");
}

std::string overview_json(const std::vector<OverviewRow>& rows) {
  JsonWriter json;
  json.array(rows, [&](const OverviewRow& row) {
    json.begin_object().field("name", row.recipe->name).field("title", row.recipe->title);
    json.field("table", row.recipe->table).field("data", row.scaled->data->name);
    json.field("seeds", row.num_seeds).field("done", row.num_done).field("top1", row.top1.value_or(kNull));
    write_figure(json, *row.recipe);
    json.end_object();
  });
  return json.text() + "\n";
}

/// The first run of `recipe`, and what trains it.
experiments::Run first_run(const Recipe& recipe, Scale scale) {
  return {&recipe, scale, recipe.at(scale).seeds.front(), {}};
}

std::string first_command(const RecipeBook& book, const Recipe& recipe, const Options& options) {
  return experiments::training_command(book, first_run(recipe, options.wanted_scale()), options.places());
}

std::vector<std::string_view> source_names(const std::vector<const experiments::DataSource*>& sources) {
  std::vector<std::string_view> names;
  for (const experiments::DataSource* source : sources) names.push_back(source->name);
  return names;
}

std::string description_text(const RecipeBook& book, const Recipe& recipe, const Options& options) {
  const ScaledRecipe& scaled = recipe.at(options.wanted_scale());
  std::string text = fmt::format("{}: {}\n{}\n\n", recipe.name, recipe.title, recipe.question);
  text += fmt::format("table     {}\n", book.table_of(recipe).title);
  text += fmt::format("scale     {}\n", to_string(options.wanted_scale()));
  text += fmt::format("data      {}: {} ({})\n", scaled.data->name, scaled.data->title, scaled.data->how_to_get);
  text += fmt::format("tests     {}\n", fmt::join(source_names(scaled.tests), ", "));
  text += fmt::format("seeds     {}\n", fmt::join(scaled.seeds, ", "));
  if (recipe.figure) text += fmt::format("paper     {:.2f} % ({})\n", recipe.figure->top1, recipe.figure->source);
  if (!recipe.remark.empty()) text += fmt::format("remark    {}\n", recipe.remark);
  if (!scaled.rekeys.empty())
    text += fmt::format("training  none: the model of {} is rekeyed, and answers permuted files\n", scaled.rekeys);
  return text + fmt::format("\n{}\n", first_command(book, recipe, options));
}

std::string description_json(const RecipeBook& book, const Recipe& recipe, const Options& options) {
  const Scale scale = options.wanted_scale();
  const ScaledRecipe& scaled = recipe.at(scale);
  JsonWriter json;
  json.begin_object().field("name", recipe.name).field("title", recipe.title).field("table", recipe.table);
  json.field("question", recipe.question).field("scale", to_string(scale)).field("data", scaled.data->name);
  json.key("tests").array(source_names(scaled.tests)).key("seeds").array(scaled.seeds).field("rekeys", scaled.rekeys);
  json.field("command", first_command(book, recipe, options));
  json.field("fingerprint", experiments::fingerprint(book, first_run(recipe, scale)));
  write_figure(json, recipe);
  return json.field("remark", recipe.remark).end_object().text() + "\n";
}

int list(const Options& options, Console& console) {
  const RecipeBook book = options.read_recipes();
  const std::vector<OverviewRow> rows = overview(book, options.wanted_scale(), options.places());
  console.out << (options.json ? overview_json(rows) : overview_text(rows, book));
  return kExitOk;
}

int show(const Options& options, Console& console) {
  const RecipeBook book = options.read_recipes();
  const Recipe& recipe = book.at(options.name.value());
  console.out << (options.json ? description_json(book, recipe, options) : description_text(book, recipe, options));
  return kExitOk;
}

}  // namespace

Action add_experiments_run(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_paths(line, "NAME", options->names, "Experiments, or `all`").required();
  add_scale_option(line, *options);
  add_number(line, "--seeds", options->seeds, {1, 1'000'000}, "So many of each recipe's seeds at most");
  add_data_option(line, *options);
  add_recipes_option(line, *options);
  add_output_option(line, *options);
  add_results_option(line, *options);
  const Option& resume = add_flag(line, names_of(&Request::resume), options->resume, "Go on with what was interrupted");
  add_force(line, options->force, "Make anew what is there already").excludes(resume);
  add_setting(line, &Request::steps, options->steps, "Only so many training steps: a trial, in folders of its own");
  add_setting(line, &Request::threads, options->threads);
  add_setting(line, &Request::dry_run, options->dry_run, "Only show what would be done");
  add_setting(line, &Request::no_progress, options->no_progress);
  line.details = kRunDetails;
  return [options](Console& console) { return run(*options, console); };
}

Action add_experiments_report(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_recipes_option(line, *options);
  add_results_option(line, *options);
  line.details = R"(Reads RESULTS/runs, and writes RESULTS.md and the plots in RESULTS. Sentences of your own go into
RESULTS/notes/TABLE.md; {NAME} in them becomes the mean accuracy of that experiment.

Examples:
  byteformer experiments report)";
  return [options](Console& console) { return report(*options, console); };
}

Action add_experiments_list(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_scale_option(line, *options);
  add_recipes_option(line, *options);
  add_results_option(line, *options);
  add_setting(line, &Request::json, options->json, "Write JSON");
  line.details = kListDetails;
  return [options](Console& console) { return list(*options, console); };
}

Action add_experiments_show(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_text(line, "NAME", options->name, "NAME", "Experiment").required();
  add_scale_option(line, *options);
  add_recipes_option(line, *options);
  add_data_option(line, *options);
  add_output_option(line, *options);
  add_setting(line, &Request::json, options->json, "Write JSON");
  line.details = kShowDetails;
  return [options](Console& console) { return show(*options, console); };
}

}  // namespace byteformer::cli
