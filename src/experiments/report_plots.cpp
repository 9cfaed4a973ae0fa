// Plots of report_parts.hpp.
#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <utility>

#include "base/file_io.hpp"
#include "chart/bar_chart.hpp"
#include "chart/line_chart.hpp"
#include "experiments/report_parts.hpp"

namespace byteformer::experiments {
namespace {

void add_bars(const RecipeLogs& logs, std::vector<chart::Bar>& bars) {
  for (const Outcome& outcome : logs.outcomes) {
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
  for (const Validation& validation : training.history) {
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

}  // namespace

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

std::string plot_links(const RecipeBook& book, const Table& table, const LogsByName& logs, const std::string& folder) {
  if (!has_runs(book, table, logs)) return "";
  std::string text = fmt::format("![{}]({}/{}.svg)\n", table.title, folder, table.name);
  if (!curves_of(book, table, logs).empty())
    text += fmt::format("![Validation accuracy by epoch]({}/{}-curves.svg)\n", folder, table.name);
  return text + "\n";
}

}  // namespace byteformer::experiments
