// Tasks in their order, and their progress.
#include "experiments/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "error_of.hpp"
#include "exit_status.hpp"
#include "experiments/report.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {

namespace {

using experiments::Run;

/// "image_tiff, seed 0; joint, seed 1 and 7 more": those tasks that `counts` says.
template <typename Counts>
std::string names_of(const std::vector<Task>& tasks, const Counts& counts) {
  constexpr int kMost = 3;
  std::string names;
  int count = 0;
  for (const Task& task : tasks)
    if (counts(task) && ++count <= kMost) names += (names.empty() ? "" : "; ") + to_string(task.run);
  return count > kMost ? names + fmt::format(" and {} more", count - kMost) : names;
}

}  // namespace

std::vector<Task> find_tasks(const experiments::RecipeBook& book, const Runner& runner,
                             const std::vector<const experiments::Recipe*>& recipes, experiments::Scale scale,
                             std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps) {
  std::vector<Task> tasks;
  for (const Run& run : experiments::schedule(book, recipes, scale, num_seeds, steps))
    tasks.push_back({run, runner.state_of(run), std::ranges::find(recipes, run.recipe) != recipes.end()});
  return tasks;
}

void check_data(const std::vector<Task>& tasks, const experiments::Places& places) {
  for (const Task& task : tasks) {
    experiments::locate(*task.run.at_scale().data, places.data);
    for (const experiments::DataSource* test : task.run.at_scale().tests) experiments::locate(*test, places.data);
  }
}

void check_states(const std::vector<Task>& tasks, bool resumes) {
  const std::string outdated = names_of(tasks, [](const Task& task) { return task.state == RunState::kOutdated; });
  if (!outdated.empty())
    throw UsageError("there are runs with other settings than the recipes have now: " + outdated +
                     "; --force makes them anew");
  const std::string there =
      names_of(tasks, [](const Task& task) { return task.is_asked_for && task.state != RunState::kNew; });
  if (!resumes && !there.empty())
    throw UsageError("there are runs already: " + there +
                     "; --resume goes on with those that were interrupted and leaves out those that are done, --force "
                     "makes all anew");
}

int forget(const Runner& runner, std::vector<Task>& tasks, Console& console) {
  const auto is_made_anew = [](const Task& task) { return task.is_asked_for || task.state == RunState::kOutdated; };
  const auto cannot_be_forgotten = [&](const Task& task) {
    if (!is_made_anew(task)) return false;
    const std::optional<Error> error = error_of([&] { runner.forget(task.run); });
    if (error) complain(console, to_string(task.run) + ": " + error->what());
    return error.has_value();
  };
  const auto num_failed = static_cast<int>(std::erase_if(tasks, cannot_be_forgotten));
  for (Task& task : tasks)
    if (is_made_anew(task)) task.state = RunState::kNew;
  return num_failed;
}

void show_plan(const experiments::RecipeBook& book, const std::vector<Task>& tasks, const experiments::Places& places,
               Console& console) {
  constexpr const char* kStates[] = {"to do", "to resume", "done", "outdated"};
  for (const Task& task : tasks)
    console.out << fmt::format("# {}: {}\n{}\n", to_string(task.run), kStates[static_cast<int>(task.state)],
                               experiments::training_command(book, task.run, places));
}

namespace {

using Clock = std::chrono::steady_clock;

/// "97.31 % of 10,000 files (test of mnist)"
std::string accuracy_text(const experiments::RunLog& log) {
  std::string text;
  for (const experiments::TestResult& test : log.tests)
    text += fmt::format("{}{:.2f} % of {} ({} of {})", text.empty() ? "" : ", ", 100 * test.top1,
                        counted(test.files, "file"), test.split, test.data);
  if (!log.rekeying) return text;
  return text + (log.rekeying->is_bit_identical ? ", logits bit for bit those of " : "; logits DIFFER from those of ") +
         log.rekeying->of;
}

bool is_left(const Task& task) { return task.state != RunState::kFinished; }

}  // namespace

int Session::run(const std::vector<Task>& tasks) {
  const auto total = static_cast<std::size_t>(std::ranges::count_if(tasks, is_left));
  std::size_t number = 0;
  int num_failed = 0;
  for (const Task& task : tasks) {
    if (!is_left(task)) continue;
    if (interrupted()) throw Interrupted{};
    say(fmt::format("[{}/{}] {}{}", number + 1, total, to_string(task.run), time_left(total - number)));
    num_failed += carry_out(task) ? 0 : 1;
    ++number;
  }
  return num_failed;
}

bool Session::carry_out(const Task& task) try {
  const auto start = Clock::now();
  const experiments::RunLog log = runner_.carry_out(task.run, console_);
  console_.out << fmt::format("{}: {}\n", to_string(task.run), accuracy_text(log)) << std::flush;
  seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  ++num_timed_;
  experiments::write_report(book_, places_);
  return true;
} catch (const std::exception& error) {  // of whatever kind: the others go on
  complain(console_, to_string(task.run) + ": " + error.what());
  return false;
}

/// By what the runs of this session took.
std::string Session::time_left(std::size_t num_left) const {
  if (num_timed_ == 0) return "";
  const double seconds = seconds_ / static_cast<double>(num_timed_) * static_cast<double>(num_left);
  return fmt::format(", about {} left for all", base::duration_text(seconds));
}

void Session::say(const std::string& line) const { console_.err << line + "\n" << std::flush; }

}  // namespace byteformer::cli
