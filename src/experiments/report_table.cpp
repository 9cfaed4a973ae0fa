// Tables, notes and commands of report_parts.hpp.
#include <fmt/format.h>

#include <cstddef>
#include <system_error>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "experiments/report_parts.hpp"
#include "format/text.hpp"

namespace byteformer::experiments {
namespace {

constexpr std::size_t kMaxNoteBytes = 1 << 20;

/// "10,000"
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<std::size_t>(i), ",");
  return text;
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
  return seconds ? format::duration_text(*seconds) : "none: rekeyed, **logits differ**";
}

std::string line(const Outcome& outcome, const RecipeLogs& logs, bool names_data) {
  return fmt::format("| {}{} | {} | {} | {} | {} | {} |\n", outcome.recipe->title,
                     names_data ? fmt::format(", on {}", outcome.tests->title) : "", outcome.text(),
                     outcome.top1.size(), grouped(outcome.files), training_text(logs), paper_text(*outcome.recipe));
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
      format::fail(ErrorCode::kInvalidFormat, source, ": {", format::excerpt(name), "} is no experiment");
    const auto& outcomes = found->second.outcomes;
    result += outcomes.empty() ? "(not run)" : fmt::format("{:.1f} %", outcomes.front().mean());
    i = end;
  }
  return result;
}

}  // namespace

bool has_runs(const RecipeBook& book, const Table& table, const LogsByName& logs) {
  for (const Recipe& recipe : book.recipes)
    if (recipe.table == table.name && !logs.at(recipe.name).logs.empty()) return true;
  return false;
}

std::string results_table(const RecipeBook& book, const Table& table, const LogsByName& logs) {
  std::string lines, missing;
  bool is_outdated = false;
  for (const Recipe* recipe : rows_of(book, table)) {
    const RecipeLogs& of_recipe = logs.at(recipe->name);
    for (const Outcome& outcome : of_recipe.outcomes) {
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

std::string note(const Table& table, const LogsByName& logs, const Places& places) {
  const std::filesystem::path path = places.results / "notes" / (table.name + ".md");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return "";
  return replaced(base::read_text_file(path, kMaxNoteBytes), base::printable(path), logs) + "\n";
}

std::string commands(const RecipeBook& book, const Table& table) {
  std::string lines;
  for (const Recipe& recipe : book.recipes) {
    if (recipe.table != table.name) continue;
    const Run run{&recipe, Scale::kSmall, recipe.small.seeds.front(), {}};
    lines += fmt::format("# {}\n{}\n", recipe.title, training_command(book, run, {}));
  }
  return "<details><summary>Commands of the first seeds</summary>\n\n```sh\n" + lines + "```\n\n</details>\n\n";
}

}  // namespace byteformer::experiments
