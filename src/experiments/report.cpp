// The results page: a table and plots for each table of the paper, and the words around them.
#include "experiments/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <set>
#include <system_error>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "chart/charts.hpp"

namespace byteformer::experiments {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNoteBytes = 1 << 20;

void add_tests(const RunLog& log, bool is_outdated, const Recipe& recipe, RecipeLogs& of_recipe) {
  for (const TestResult& test : log.tests) {
    const DataSource* const source = find_data_source(test.data);
    if (source == nullptr) continue;
    auto found = std::ranges::find(of_recipe.outcomes, source, &TestOutcome::tests);
    if (found == of_recipe.outcomes.end()) {
      of_recipe.outcomes.push_back({&recipe, source, {}, 0, 0, false});
      found = of_recipe.outcomes.end() - 1;
    }
    found->top1.push_back(100 * test.top1);
    found->files = test.files;
    found->failures += test.failures;
    found->is_outdated = found->is_outdated || is_outdated;
  }
}

std::string paper_text(const Recipe& recipe) {
  std::string text = recipe.figure ? fmt::format("{:.2f}", recipe.figure->top1) : "";
  if (recipe.figure && recipe.figure->source != "paper") text += fmt::format(" ({})", recipe.figure->source);
  if (!recipe.remark.empty()) text += (text.empty() ? "" : "; ") + recipe.remark;
  return text;
}

std::string training_text(const RecipeLogs& logs) {
  if (logs.are_bit_identical()) return "none: rekeyed, logits bit for bit those of the plain models";
  const auto seconds = logs.mean_seconds();
  return seconds ? base::duration_text(*seconds) : "none: rekeyed, **logits differ**";
}

std::string line(const TestOutcome& outcome, const RecipeLogs& logs, bool names_data) {
  return fmt::format("| {}{} | {} | {} | {} | {} | {} |\n", outcome.recipe->title,
                     names_data ? fmt::format(", on {}", outcome.tests->title) : "", outcome.text(),
                     outcome.top1.size(), base::grouped(outcome.files), training_text(logs),
                     paper_text(*outcome.recipe));
}

/// Experiments of a table: what they are compared with, then themselves.
std::vector<const Recipe*> rows_of(const RecipeBook& book, const Table& table) {
  std::vector<const Recipe*> rows;
  if (!table.baseline.empty()) rows.push_back(&book.at(table.baseline));
  for (const Recipe& recipe : book.recipes)
    if (recipe.table == table.name) rows.push_back(&recipe);
  return rows;
}

std::string replaced(const std::string& text, const std::string& source, const LogsByName& logs) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text[i] == '{' ? text.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      result += text[i];
      continue;
    }
    const std::string name = text.substr(i + 1, end - i - 1);
    const auto found = logs.find(name);
    if (found == logs.end())
      base::fail(ErrorCode::kInvalidFormat, base::About{source}, "{", base::excerpt(name), "} is no experiment");
    const auto& outcomes = found->second.outcomes;
    result += outcomes.empty() ? "(not run)" : fmt::format("{:.1f} %", outcomes.front().mean());
    i = end;
  }
  return result;
}

/// Whether any experiment of `table` was run.
bool has_runs(const RecipeBook& book, const Table& table, const LogsByName& logs) {
  for (const Recipe& recipe : book.recipes)
    if (recipe.table == table.name && !logs.at(recipe.name).logs.empty()) return true;
  return false;
}

/// Markdown: a line for each experiment that was run and the data that judged it, and which were not run.
std::string results_table(const RecipeBook& book, const Table& table, const LogsByName& logs) {
  std::string lines, missing;
  bool is_outdated = false;
  for (const Recipe* recipe : rows_of(book, table)) {
    const RecipeLogs& of_recipe = logs.at(recipe->name);
    for (const TestOutcome& outcome : of_recipe.outcomes) {
      lines += line(outcome, of_recipe, of_recipe.outcomes.size() > 1);
      is_outdated = is_outdated || outcome.is_outdated;
    }
    if (of_recipe.outcomes.empty()) missing += (missing.empty() ? "" : "; ") + recipe->title;
  }
  std::string text;
  if (!lines.empty())
    text = "| the model reads | top-1, % | seeds | test files | training | paper, % |\n|---|---|---|---|---|---|\n" +
           lines + "\n";
  if (is_outdated) text += "† with other settings than the recipe has now.\n\n";
  if (!missing.empty()) text += fmt::format("Not run yet: {}.\n\n", missing);
  return text;
}

/// What a person wrote about the table, with its {NAME}s replaced; empty where nothing was written.
/// \throws Error kInvalidFormat for a name that is no experiment's
std::string note(const Table& table, const LogsByName& logs, const Places& places) {
  const std::filesystem::path path = places.results / "notes" / (table.name + ".md");
  if (!base::exists(path)) return "";
  return replaced(base::read_text_file(path, kMaxNoteBytes), base::printable(path), logs) + "\n";
}

/// Markdown: the command that trains the first seed of each experiment, folded away.
std::string commands(const RecipeBook& book, const Table& table) {
  std::string lines;
  for (const Recipe& recipe : book.recipes) {
    if (recipe.table != table.name) continue;
    const Run run{&recipe, Scale::kSmall, recipe.small.seeds.front(), {}};
    lines += fmt::format("# {}\n{}\n", recipe.title, training_command(book, run, {}));
  }
  return "<details><summary>Commands of the first seeds</summary>\n\n```sh\n" + lines + "```\n\n</details>\n\n";
}

void add_bars(const RecipeLogs& logs, std::vector<chart::Bar>& bars) {
  for (const TestOutcome& outcome : logs.outcomes) {
    const bool names_data = logs.outcomes.size() > 1;
    const auto& figure = outcome.recipe->figure;
    bars.push_back({outcome.recipe->title + (names_data ? fmt::format(", {}", outcome.tests->name) : ""),
                    outcome.mean(), outcome.deviation(), figure ? std::optional(figure->top1) : std::nullopt});
  }
}

/// Validation accuracy of the first seed.
void add_curve(const RecipeLogs& logs, std::vector<chart::Series>& curves) {
  if (logs.logs.empty() || !logs.logs.front().training) return;
  const TrainingLog& training = *logs.logs.front().training;
  chart::Series curve{logs.recipe->title, {}, {}};
  for (const plan::ValidationResult& validation : training.history) {
    curve.x.push_back(training.epochs * static_cast<double>(validation.step) / static_cast<double>(training.steps));
    curve.y.push_back(100 * validation.top1);
  }
  curves.push_back(std::move(curve));
}

std::vector<chart::Series> curves_of(const RecipeBook& book, const Table& table, const LogsByName& logs) {
  std::vector<chart::Series> curves;
  for (const Recipe& recipe : book.recipes)
    if (recipe.table == table.name) add_curve(logs.at(recipe.name), curves);
  for (std::size_t i = std::size(chart::kColors); i < curves.size(); ++i) curves[i].is_dashed = true;
  return curves;
}

/// TABLE.svg, bars of accuracy, and TABLE-curves.svg, validation accuracy by epoch. There must be runs.
/// \throws Error kIo, kPermissionDenied
void write_plots(const RecipeBook& book, const Table& table, const LogsByName& logs, const Places& places) {
  std::vector<chart::Bar> bars;
  if (!table.baseline.empty()) add_bars(logs.at(table.baseline), bars);
  for (const Recipe& recipe : book.recipes)
    if (recipe.table == table.name) add_bars(logs.at(recipe.name), bars);
  base::write_file_atomically(places.results / (table.name + ".svg"),
                              chart::svg_file(chart::bar_chart(
                                  table.title + ": top-1, %", bars,
                                  {.low = 0, .high = 100, .name = "here", .reference_name = "paper, other data"})));
  const std::vector<chart::Series> curves = curves_of(book, table, logs);
  if (curves.empty()) return;
  base::write_file_atomically(places.results / (table.name + "-curves.svg"),
                              chart::svg_file(chart::line_chart("Validation accuracy by epoch, first seeds, %",
                                                                {.label = "epochs", .low = 0}, curves, {.low = 0})));
}

/// Markdown that shows the plots, which lie in `folder`; empty where there are no runs.
std::string plot_links(const RecipeBook& book, const Table& table, const LogsByName& logs, const std::string& folder) {
  if (!has_runs(book, table, logs)) return "";
  std::string text = fmt::format("![{}]({}/{}.svg)\n", table.title, folder, table.name);
  if (!curves_of(book, table, logs).empty())
    text += fmt::format("![Validation accuracy by epoch]({}/{}-curves.svg)\n", folder, table.name);
  return text + "\n";
}

constexpr const char* kIntroduction = R"(# Results

<!-- Written by `byteformer experiments report` from the logs in {0}/runs and the notes in {0}/notes: change those. -->

The experiments of *Bytes Are All You Need* ([arXiv 2306.00238](https://arxiv.org/abs/2306.00238)), asked again at a small
scale: data that a script unpacks, a small model, minutes of training on two cores. So heights do not compare with the
paper's: its models have more layers, see ImageNet or Speech Commands, and train for 300 epochs. What can be compared
are differences within a column.

Each number is the share of test files whose best class is right, in percent: the mean over the seeds, ± the sample standard
deviation where there are two seeds or more. The test files had no part in training. *Paper* is what the paper or its
released weights are known to reach, where that is confirmed; elsewhere the column is empty. Every number comes
from the logs in [{0}/runs]({0}/runs): command, settings' fingerprint, seed, machine, curve.

)";

constexpr const char* kHowTo = R"(## How to repeat this

```sh
scripts/unpack_data.sh FOLDER_OF_ARCHIVES         # says which archives, and where they come from
byteformer experiments run all                    # --resume goes on after Ctrl-C or a crash
byteformer experiments run image_tiff --seeds 1   # or one experiment
byteformer experiments show image_tiff            # its question and its command
```

Budgets are numbers of steps, never of seconds, and results do not depend on the number of threads. Times of training are
as the machine was, which may have done other work as well.
)";

/// "69 runs, 3:52 h of training, on ..., by byteformer 0.5.0"
std::string summary(const LogsByName& logs) {
  std::set<std::string> machines, versions;
  std::size_t num_runs = 0;
  double seconds = 0;
  for (const auto& [name, of_recipe] : logs)
    for (const RunLog& log : of_recipe.logs) {
      ++num_runs;
      machines.insert(log.machine);
      versions.insert(log.version);
      seconds += log.training ? log.training->seconds : 0;
    }
  if (num_runs == 0) return "Nothing has been run yet.\n\n";
  return fmt::format("{} runs so far, {} of training, on {}; byteformer {}.\n\n", num_runs,
                     base::duration_text(seconds), fmt::join(machines, " and on "), fmt::join(versions, ", "));
}

std::string page(const RecipeBook& book, const LogsByName& small, const LogsByName& paper, const Places& places) {
  const std::string folder = places.results.filename().string();
  std::string text = fmt::format(kIntroduction, folder) + summary(small);
  for (const Table& table : book.tables) {
    text += fmt::format("## {}\n\n{}\n\n", table.title, table.text);
    text += results_table(book, table, small) + plot_links(book, table, small, folder);
    if (has_runs(book, table, paper)) text += "At the paper's scale:\n\n" + results_table(book, table, paper);
    text += note(table, small, places) + commands(book, table);
  }
  return text + kHowTo;
}

}  // namespace

double TestOutcome::mean() const {
  return std::accumulate(top1.begin(), top1.end(), 0.0) / static_cast<double>(top1.size());
}

std::optional<double> TestOutcome::deviation() const {
  if (top1.size() < 2) return std::nullopt;
  double sum = 0;
  for (const double value : top1) sum += (value - mean()) * (value - mean());
  return std::sqrt(sum / static_cast<double>(top1.size() - 1));
}

std::string TestOutcome::text() const {
  const auto spread = deviation();
  return fmt::format("{:.2f}{}{}", mean(), spread ? fmt::format(" ± {:.2f}", *spread) : "", is_outdated ? " †" : "");
}

std::optional<double> RecipeLogs::mean_seconds() const {
  double sum = 0;
  int count = 0;
  for (const RunLog& log : logs)
    if (log.training) sum += log.training->seconds, ++count;
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

bool RecipeLogs::are_bit_identical() const {
  return !logs.empty() &&
         std::ranges::all_of(logs, [](const RunLog& log) { return log.rekeying && log.rekeying->is_bit_identical; });
}

LogsByName read_logs(const RecipeBook& book, Scale scale, const Places& places) {
  LogsByName logs;
  for (const Recipe& recipe : book.recipes) {
    RecipeLogs& of_recipe = logs[recipe.name];
    of_recipe.recipe = &recipe;
    for (const std::int64_t seed : recipe.at(scale).seeds) {
      const Run run{&recipe, scale, seed, {}};
      std::optional<RunLog> log = find_log(run, places);
      if (!log) continue;
      add_tests(*log, log->fingerprint != fingerprint(book, run), recipe, of_recipe);
      of_recipe.logs.push_back(std::move(*log));
    }
  }
  return logs;
}

fs::path page_path(const Places& places) {
  fs::path path = places.results;
  return path += ".md";
}

void write_report(const RecipeBook& book, const Places& places) {
  const LogsByName small = read_logs(book, Scale::kSmall, places);
  const LogsByName paper = read_logs(book, Scale::kPaper, places);
  std::error_code error;
  fs::create_directories(places.results, error);
  if (error) base::fail(ErrorCode::kIo, base::About{places.results.native()}, "cannot be created: ", error.message());
  for (const Table& table : book.tables)
    if (has_runs(book, table, small)) write_plots(book, table, small, places);
  base::write_file_atomically(page_path(places), page(book, small, paper, places));
}

}  // namespace byteformer::experiments
