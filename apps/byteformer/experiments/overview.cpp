// Lists experiments and shows one, as text and as JSON.
#include "experiments/overview.hpp"

#include <fmt/format.h>

#include <limits>

#include "experiments/run_log.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "output/table.hpp"

namespace byteformer::cli {
namespace {

using experiments::Recipe;
using experiments::RecipeBook;
using experiments::Run;
using experiments::Scale;
using experiments::ScaledRecipe;

std::string percent_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.2f}", *percent) : "";
}

std::optional<double> reported(const Recipe& recipe) {
  return recipe.figure ? std::optional(recipe.figure->top1) : std::nullopt;
}

/// The command line that runs the first seed.
std::string first_command(const RecipeBook& book, const Recipe& recipe, Scale scale,
                          const experiments::Places& places) {
  return experiments::training_command(book, {&recipe, scale, recipe.at(scale).seeds.front(), {}}, places);
}

std::string tests_text(const ScaledRecipe& scaled) {
  std::string text;
  for (const experiments::DataSource* test : scaled.tests)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", test->name);
  return text;
}

/// What the paper reports, as far as that is confirmed.
void write_figure(JsonWriter& json, const Recipe& recipe) {
  constexpr double kNull = std::numeric_limits<double>::quiet_NaN();  // written as null
  json.field("paper", reported(recipe).value_or(kNull));
  json.field("source", recipe.figure ? recipe.figure->source : "");
}

}  // namespace

std::vector<OverviewRow> overview(const RecipeBook& book, Scale scale, const experiments::Places& places) {
  std::vector<OverviewRow> rows;
  for (const Recipe& recipe : book.recipes) {
    OverviewRow row{&recipe, &recipe.at(scale), 0, 0, {}};
    double sum = 0;
    std::int64_t count = 0;
    for (const std::int64_t seed : row.scaled->seeds) {
      ++row.num_seeds;
      const Run run{&recipe, scale, seed, {}};
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
  using Align = Table::Align;
  Table table({{"experiment", Align::kLeft},
               {"what the model reads", Align::kLeft},
               {"table", Align::kLeft},
               {"data", Align::kLeft},
               {"runs"},
               {"top-1, %"},
               {"paper, %"}});
  for (const OverviewRow& row : rows)
    table.add_row({row.recipe->name, row.recipe->title, book.table_of(*row.recipe).title,
                   std::string(row.scaled->data->name), fmt::format("{}/{}", row.num_done, row.num_seeds),
                   percent_text(row.top1), percent_text(reported(*row.recipe))});
  return table.text();
}

std::string overview_json(const std::vector<OverviewRow>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const OverviewRow& row : rows) {
    json.begin_object().field("name", row.recipe->name).field("title", row.recipe->title);
    json.field("table", row.recipe->table).field("data", row.scaled->data->name);
    json.field("seeds", row.num_seeds).field("done", row.num_done);
    json.field("top1", row.top1.value_or(std::numeric_limits<double>::quiet_NaN()));
    write_figure(json, *row.recipe);
    json.end_object();
  }
  return json.end_array().text() + "\n";
}

std::string description_text(const RecipeBook& book, const Recipe& recipe, Scale scale,
                             const experiments::Places& places) {
  const ScaledRecipe& scaled = recipe.at(scale);
  std::string text = fmt::format("{}: {}\n{}\n\n", recipe.name, recipe.title, recipe.question);
  text += fmt::format("table     {}\n", book.table_of(recipe).title);
  text += fmt::format("scale     {}\n", to_string(scale));
  text += fmt::format("data      {}: {} ({})\n", scaled.data->name, scaled.data->title, scaled.data->how_to_get);
  text += fmt::format("tests     {}\n", tests_text(scaled));
  text += fmt::format("seeds     {}\n", fmt::join(scaled.seeds, ", "));
  if (recipe.figure) text += fmt::format("paper     {:.2f} % ({})\n", recipe.figure->top1, recipe.figure->source);
  if (!recipe.remark.empty()) text += fmt::format("remark    {}\n", recipe.remark);
  if (!scaled.rekeys.empty())
    text += fmt::format("training  none: the model of {} is rekeyed, and answers permuted files\n", scaled.rekeys);
  return text + fmt::format("\n{}\n", first_command(book, recipe, scale, places));
}

std::string description_json(const RecipeBook& book, const Recipe& recipe, Scale scale,
                             const experiments::Places& places) {
  const ScaledRecipe& scaled = recipe.at(scale);
  JsonWriter json;
  json.begin_object().field("name", recipe.name).field("title", recipe.title).field("table", recipe.table);
  json.field("question", recipe.question).field("scale", to_string(scale)).field("data", scaled.data->name);
  json.key("tests").begin_array();
  for (const experiments::DataSource* test : scaled.tests) json.value(test->name);
  json.end_array().key("seeds").begin_array();
  for (const std::int64_t seed : scaled.seeds) json.value(seed);
  json.end_array().field("rekeys", scaled.rekeys);
  json.field("command", first_command(book, recipe, scale, places));
  json.field("fingerprint", experiments::fingerprint(book, {&recipe, scale, scaled.seeds.front(), {}}));
  write_figure(json, recipe);
  return json.field("remark", recipe.remark).end_object().text() + "\n";
}

}  // namespace byteformer::cli
