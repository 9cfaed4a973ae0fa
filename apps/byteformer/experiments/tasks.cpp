// Which runs there are to do, and what must hold before the first starts.
#include "experiments/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "error_of.hpp"
#include "exit_status.hpp"

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

}  // namespace byteformer::cli
