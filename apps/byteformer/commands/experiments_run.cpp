// `byteformer experiments run` and `report`: carries experiments out, and writes what came of it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>

#include "byteformer/error.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "exit_status.hpp"
#include "experiments/experiment_options.hpp"
#include "experiments/report.hpp"
#include "experiments/runner.hpp"
#include "format/text.hpp"
#include "options.hpp"
#include "output/numbers.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

using experiments::Recipe;
using experiments::RecipeBook;
using experiments::Run;

constexpr const char* kRunDetails =
    R"(Trains each experiment once a seed, as `byteformer train` does, judges the model by its test files, as `byteformer
eval` does, keeps a log in RESULTS/runs, and writes the page RESULTS.md with its plots anew after each run. The first seeds
of all experiments come first, then the second ones. Models, and what a resume needs, are kept in OUTPUT.

Nothing is overwritten silently: where there are results or unfinished runs, --resume goes on with those that were
interrupted and leaves out those that are done; --force makes all anew. A training resumes bit for bit. A run that fails
is said, and the others go on.

At the small scale, data come from `scripts/unpack_data.sh`; all experiments take a night on two cores. At the paper's
scale you need ImageNet or Speech Commands v2 below the folder of data, and a cluster.

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

struct Arguments {
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
experiments::Places places_of(const Arguments& arguments) {
  experiments::Places places = arguments.options.places();
  if (!arguments.steps) return places;
  places.models /= fmt::format("trial-{}", *arguments.steps);
  if (!arguments.options.results) places.results = places.models / "results";
  return places;
}

/// A run and what is there of it.
struct Task {
  Run run;
  RunState state = RunState::kNew;
};

std::string names_of(const std::vector<Task>& tasks, std::initializer_list<RunState> states) {
  constexpr int kMost = 3;
  std::string names;
  int count = 0;
  for (const Task& task : tasks) {
    if (std::ranges::find(states, task.state) == states.end()) continue;
    if (++count <= kMost) names += (names.empty() ? "" : "; ") + to_string(task.run);
  }
  return count > kMost ? names + fmt::format(" and {} more", count - kMost) : names;
}

/// \throws UsageError where something would be overwritten or mixed up.
void check_states(const std::vector<Task>& tasks, const Arguments& arguments) {
  if (arguments.force) return;
  if (const std::string names = names_of(tasks, {RunState::kOutdated}); !names.empty())
    throw UsageError("there are runs with other settings than the recipes have now: " + names +
                     "; --force makes them anew");
  if (arguments.resume) return;
  if (const std::string names = names_of(tasks, {RunState::kFinished, RunState::kStarted}); !names.empty())
    throw UsageError("there are runs already: " + names +
                     "; --resume goes on with those that were interrupted and leaves out those that are done, --force "
                     "makes all anew");
}

std::vector<Task> find_tasks(const RecipeBook& book, const Runner& runner, const Arguments& arguments) {
  std::vector<Task> tasks;
  for (const Run& run : experiments::schedule(book, find_recipes(book, arguments.names),
                                              arguments.options.wanted_scale(), arguments.seeds, arguments.steps))
    tasks.push_back({run, runner.state_of(run)});
  return tasks;
}

/// \throws Error where data are missing: before hours of work, not after.
void check_data(const std::vector<Task>& tasks, const experiments::Places& places) {
  for (const Task& task : tasks) {
    experiments::locate(*task.run.at_scale().data, places.data);
    for (const experiments::DataSource* test : task.run.at_scale().tests) experiments::locate(*test, places.data);
  }
}

void show_plan(const RecipeBook& book, const std::vector<Task>& tasks, const experiments::Places& places,
               Console& console) {
  constexpr const char* kStates[] = {"to do", "to resume", "done", "outdated"};
  for (const Task& task : tasks) {
    console.out << fmt::format("# {}: {}\n", to_string(task.run), kStates[static_cast<int>(task.state)]);
    console.out << experiments::training_command(book, task.run, places) << "\n";
  }
}

std::string accuracy_text(const experiments::RunLog& log) {
  std::string text;
  for (const experiments::TestResult& test : log.tests)
    text += fmt::format("{}{:.2f} % of {} ({} of {})", text.empty() ? "" : ", ", 100 * test.top1,
                        counted(test.files, "file"), test.split, test.data);
  if (log.rekeying)
    text += log.rekeying->is_bit_identical ? ", logits bit for bit those of " + log.rekeying->of
                                           : "; logits DIFFER from those of " + log.rekeying->of;
  return text;
}

/// Carries out what is left of the tasks.
class Session {
 public:
  Session(const RecipeBook& book, const Runner& runner, const experiments::Places& places, Console& console)
      : book_(book), runner_(runner), places_(places), console_(console) {}

  /// \returns how many failed. \throws Interrupted
  int run(const std::vector<Task>& tasks) {
    std::size_t num_left = 0;
    for (const Task& task : tasks) num_left += task.state != RunState::kFinished;
    const std::size_t total = num_left;
    int num_failed = 0;
    for (const Task& task : tasks) {
      if (task.state == RunState::kFinished) continue;
      if (interrupted()) throw Interrupted{};
      say(fmt::format("[{}/{}] {}{}", total - num_left + 1, total, to_string(task.run), time_left(num_left)));
      num_failed += carry_out(task) ? 0 : 1;
      --num_left;
    }
    return num_failed;
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool carry_out(const Task& task) try {
    const auto start = Clock::now();
    const experiments::RunLog log = runner_.carry_out(task.run, console_);
    console_.out << fmt::format("{}: {}\n", to_string(task.run), accuracy_text(log)) << std::flush;
    seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
    ++num_timed_;
    experiments::write_report(book_, places_);
    return true;
  } catch (const Error& error) {
    say(fmt::format("byteformer: {}: {}", to_string(task.run), error.what()));
    return false;
  }

  /// By what the runs of this session took.
  std::string time_left(std::size_t num_left) const {
    if (num_timed_ == 0) return "";
    const double seconds = seconds_ / static_cast<double>(num_timed_) * static_cast<double>(num_left);
    return fmt::format(", about {} left for all", format::duration_text(seconds));
  }

  void say(const std::string& line) { console_.err << line + "\n" << std::flush; }

  const RecipeBook& book_;
  const Runner& runner_;
  const experiments::Places& places_;
  Console& console_;
  double seconds_ = 0;
  int num_timed_ = 0;
};

std::filesystem::path require_trainer() {
  const auto program = find_program("byteformer-train");
  if (!program)
    throw Error(
        ErrorCode::kUnsupported,
        "experiments need the program byteformer-train, which is not installed here. Build it with LibTorch: "
        "`./scripts/install_dependencies.sh train && cmake --preset release && cmake --build --preset release`");
  return *program;
}

int run(const Arguments& arguments, Console& console) {
  const RecipeBook book = arguments.options.read_recipes();
  const experiments::Places places = places_of(arguments);
  RunnerOptions options{places, {}, arguments.threads, !arguments.no_progress};
  if (!arguments.dry_run) options.trainer = require_trainer();
  const Runner runner(book, options);
  std::vector<Task> tasks = find_tasks(book, runner, arguments);
  if (arguments.dry_run) {
    show_plan(book, tasks, places, console);
    return kExitOk;
  }
  check_data(tasks, places);
  check_states(tasks, arguments);
  if (arguments.force)
    for (Task& task : tasks) {
      runner.forget(task.run);
      task.state = RunState::kNew;
    }
  watch_for_interrupt({SIGINT, SIGTERM});
  try {
    const int num_failed = Session(book, runner, places, console).run(tasks);
    experiments::write_report(book, places);
    console.err << fmt::format("results: {}\n", experiments::page_path(places).string()) << std::flush;
    return num_failed == 0 ? kExitOk : kExitInputFailed;
  } catch (const Interrupted&) {
    console.err << "interrupted; everything is saved. Go on with the same command and --resume\n" << std::flush;
    return kExitInterrupted;
  }
}

int report(const Arguments& arguments, Console& console) {
  const experiments::Places places = arguments.options.places();
  experiments::write_report(arguments.options.read_recipes(), places);
  console.out << experiments::page_path(places).string() + "\n";
  return kExitOk;
}

}  // namespace

Action add_experiments_run(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  add_paths(app, "NAME", arguments->names, "Experiments, or `all`");
  add_scale_option(app, arguments->options);
  add_number(app, "--seeds", arguments->seeds, {1, 1'000'000}, "So many of each recipe's seeds at most");
  add_data_option(app, arguments->options);
  add_recipes_option(app, arguments->options);
  add_output_option(app, arguments->options);
  add_results_option(app, arguments->options);
  const DeclaredOption resume = add_flag(app, "--resume", arguments->resume, "Go on with what was interrupted");
  add_flag(app, "-f,--force", arguments->force, "Make anew what is there already").excludes(resume);
  add_number(app, "--steps", arguments->steps, {1, 1'000'000'000},
             "Only so many training steps: a trial, in folders of its own");
  add_number(app, "-j,--threads", arguments->threads, {1, 1'024}, "Threads (default: one a processor)");
  add_flag(app, "--dry-run", arguments->dry_run, "Only show what would be done");
  add_flag(app, "--no-progress", arguments->no_progress, "No progress display");
  set_details(app, kRunDetails);
  return [arguments](Console& console) { return run(*arguments, console); };
}

Action add_experiments_report(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  add_recipes_option(app, arguments->options);
  add_results_option(app, arguments->options);
  set_details(app, kReportDetails);
  return [arguments](Console& console) { return report(*arguments, console); };
}

}  // namespace byteformer::cli
