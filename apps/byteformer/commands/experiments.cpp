// `byteformer experiments`: lists, shows and runs the paper's experiments, and writes their report.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "exit_status.hpp"
#include "experiments/experiment_options.hpp"
#include "experiments/overview.hpp"
#include "experiments/report.hpp"
#include "experiments/runner.hpp"
#include "experiments/session.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {

namespace {

using experiments::Recipe;
using experiments::RecipeBook;

constexpr const char* kRunDetails =
    R"(Trains each experiment once a seed, as `byteformer train` does, judges the model by its test files, as `byteformer
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

constexpr const char* kReportDetails =
    R"(Reads RESULTS/runs, and writes RESULTS.md and the plots in RESULTS. Sentences of your own go into
RESULTS/notes/TABLE.md; {NAME} in them becomes the mean accuracy of that experiment.

Examples:
  byteformer experiments report)";

struct RunArguments {
  ExperimentsOptions options;
  std::vector<std::string> names;
  std::optional<std::int64_t> seeds, steps, threads;
  bool resume = false, force = false, dry_run = false, no_progress = false;
};

std::vector<const Recipe*> find_recipes(const RecipeBook& book, const std::vector<std::string>& names) {
  std::vector<const Recipe*> recipes;
  if (names == std::vector<std::string>{"all"})
    for (const Recipe& recipe : book.recipes) recipes.push_back(&recipe);
  else
    for (const std::string& name : names) recipes.push_back(&book.at(name));
  return recipes;
}

/// A trial of a few steps is no result: it has folders of its own.
experiments::Places places_of(const RunArguments& arguments) {
  experiments::Places places = arguments.options.places();
  if (!arguments.steps) return places;
  places.models /= fmt::format("trial-{}", *arguments.steps);
  if (!arguments.options.results) places.results = places.models / "results";
  return places;
}

int run(const RunArguments& arguments, Console& console) {
  const RecipeBook book = arguments.options.read_recipes();
  const std::vector<const Recipe*> recipes = find_recipes(book, arguments.names);
  const experiments::Places places = places_of(arguments);
  RunnerOptions options{places, {}, arguments.threads, !arguments.no_progress};
  if (!arguments.dry_run) options.trainer = find_trainer("experiments need");
  const Runner runner(book, options);
  std::vector<Task> tasks =
      find_tasks(book, runner, recipes, arguments.options.wanted_scale(), arguments.seeds, arguments.steps);
  if (arguments.dry_run) {
    show_plan(book, tasks, places, console);
    return kExitOk;
  }
  check_data(tasks, places);
  int num_failed = 0;
  if (arguments.force)
    num_failed = forget(runner, tasks, console);
  else
    check_states(tasks, arguments.resume);
  watch_for_interrupt({SIGINT, SIGTERM});
  try {
    num_failed += Session(book, runner, places, console).run(tasks);
    experiments::write_report(book, places);
    console.err << fmt::format("results: {}\n", base::printable(experiments::page_path(places))) << std::flush;
    return num_failed == 0 ? kExitOk : kExitInputFailed;
  } catch (const Interrupted&) {
    console.err << "interrupted; everything is saved. Go on with the same command and --resume\n" << std::flush;
    return kExitInterrupted;
  }
}

int report(const RunArguments& arguments, Console& console) {
  const experiments::Places places = arguments.options.places();
  experiments::write_report(arguments.options.read_recipes(), places);
  console.out << base::printable(experiments::page_path(places)) + "\n";
  return kExitOk;
}

}  // namespace

Action add_experiments_run(CommandLine& line) {
  auto arguments = std::make_shared<RunArguments>();
  add_paths(line, "NAME", arguments->names, "Experiments, or `all`").required();
  add_scale_option(line, arguments->options);
  add_number(line, "--seeds", arguments->seeds, {1, 1'000'000}, "So many of each recipe's seeds at most");
  add_data_option(line, arguments->options);
  add_recipes_option(line, arguments->options);
  add_output_option(line, arguments->options);
  add_results_option(line, arguments->options);
  const DeclaredOption resume = add_flag(line, "--resume", arguments->resume, "Go on with what was interrupted");
  add_flag(line, "-f,--force", arguments->force, "Make anew what is there already").excludes(resume);
  add_number(line, "--steps", arguments->steps, {1, 1'000'000'000},
             "Only so many training steps: a trial, in folders of its own");
  add_number(line, "-j,--threads", arguments->threads, {1, 1'024}, "Threads (default: one a processor)");
  add_flag(line, "--dry-run", arguments->dry_run, "Only show what would be done");
  add_flag(line, "--no-progress", arguments->no_progress, "No progress display");
  set_details(line, kRunDetails);
  return [arguments](Console& console) { return run(*arguments, console); };
}

Action add_experiments_report(CommandLine& line) {
  auto arguments = std::make_shared<RunArguments>();
  add_recipes_option(line, arguments->options);
  add_results_option(line, arguments->options);
  set_details(line, kReportDetails);
  return [arguments](Console& console) { return report(*arguments, console); };
}

namespace {

constexpr const char* kListDetails =
    R"(One line an experiment, table by table: how many runs (seeds) of the wanted scale are done, the mean accuracy of their
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

struct Arguments {
  ExperimentsOptions options;
  std::optional<std::string> name;
  bool json = false;
};

int list(const Arguments& arguments, Console& console) {
  const experiments::RecipeBook book = arguments.options.read_recipes();
  const auto rows = overview(book, arguments.options.wanted_scale(), arguments.options.places());
  console.out << (arguments.json ? overview_json(rows) : overview_text(rows, book));
  return kExitOk;
}

int show(const Arguments& arguments, Console& console) {
  const experiments::RecipeBook book = arguments.options.read_recipes();
  const experiments::Recipe& recipe = book.at(arguments.name.value());
  const experiments::Scale scale = arguments.options.wanted_scale();
  const experiments::Places places = arguments.options.places();
  console.out << (arguments.json ? description_json(book, recipe, scale, places)
                                 : description_text(book, recipe, scale, places));
  return kExitOk;
}

}  // namespace

Action add_experiments_list(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  add_scale_option(line, arguments->options);
  add_recipes_option(line, arguments->options);
  add_results_option(line, arguments->options);
  add_flag(line, "--json", arguments->json, "Write JSON");
  set_details(line, kListDetails);
  return [arguments](Console& console) { return list(*arguments, console); };
}

Action add_experiments_show(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  add_text(line, "NAME", arguments->name, "NAME", "Experiment").required();
  add_scale_option(line, arguments->options);
  add_recipes_option(line, arguments->options);
  add_data_option(line, arguments->options);
  add_output_option(line, arguments->options);
  add_flag(line, "--json", arguments->json, "Write JSON");
  set_details(line, kShowDetails);
  return [arguments](Console& console) { return show(*arguments, console); };
}

}  // namespace byteformer::cli
