// An evaluation as JSON and as text for people.
#include "evaluation/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "output/table.hpp"
#include "output/utf8.hpp"

namespace byteformer::cli {

namespace {

void write_classes(JsonWriter& json, const Evaluation& evaluation) {
  json.key("per_class").begin_array();
  for (std::size_t c = 0; c < evaluation.labels.size(); ++c) {
    const data::ClassMetrics& metrics = evaluation.metrics.per_class[c];
    json.begin_object().field("label", evaluation.labels[c]).field("samples", metrics.samples);
    json.field("recall", metrics.recall).field("precision", metrics.precision).end_object();
  }
  json.end_array();
}

void write_confusion(JsonWriter& json, const data::Metrics& metrics) {
  json.key("confusion").begin_array();
  for (const auto& row : metrics.confusion) {
    json.begin_array();
    for (const std::int64_t count : row) json.value(count);
    json.end_array();
  }
  json.end_array();
}

void write_failure(JsonWriter& json, const Failure& failure) {
  json.begin_object().field("path", base::escape_bytes(failure.path)).field("code", to_string(failure.error.code()));
  json.field("message", failure.error.what()).end_object();
}

void write_failures(JsonWriter& json, const std::vector<Failure>& failures) {
  json.key("failures").begin_array();
  for (const Failure& failure : failures) write_failure(json, failure);
  json.end_array();
}

void write_points(JsonWriter& json, const std::vector<RobustnessPoint>& points) {
  json.key("points").begin_array();
  for (const RobustnessPoint& point : points) {
    const data::Metrics& metrics = point.metrics;
    json.begin_object().field("level", point.level).field("samples", metrics.samples);
    json.field("top1", metrics.top1).field("top5", metrics.top5).field("loss", metrics.loss);
    json.field("failed", point.num_failed);
    if (point.first_failure) write_failure(json.key("first_failure"), *point.first_failure);
    json.end_object();
  }
  json.end_array();
}

void write_robustness(JsonWriter& json, const Robustness& robustness) {
  json.key("corruption").begin_object().field("seed", robustness.seed).field("source", robustness.is_of_source);
  json.key("curves").begin_array();
  for (const RobustnessCurve& curve : robustness.curves) {
    json.begin_object().field("kind", curve.kind->name).field("level_is", curve.kind->quantity);
    write_points(json, curve.points);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string evaluation_json(const Evaluation& evaluation) {
  const data::Metrics& metrics = evaluation.metrics;
  JsonWriter json;
  json.begin_object();
  json.field("model", base::escape_bytes(evaluation.model))
      .field("data", base::escape_bytes(evaluation.data))
      .field("split", evaluation.split);
  json.field("samples", metrics.samples).field("top1", metrics.top1).field("top5", metrics.top5);
  json.field("loss", metrics.loss).field("calibration_error", metrics.calibration_error);
  json.key("labels").begin_array();
  for (const std::string& label : evaluation.labels) json.value(label);
  json.end_array();
  write_classes(json, evaluation);
  write_confusion(json, metrics);
  write_failures(json, evaluation.failures);
  if (evaluation.robustness) write_robustness(json, *evaluation.robustness);
  return json.end_object().text() + "\n";
}

namespace {

constexpr std::size_t kMostClassesInMatrix = 20;
constexpr std::size_t kMostClassesInTable = 100;
constexpr std::size_t kMostPairs = 10;

/// Classes in their order, or the worst of very many.
std::vector<std::size_t> classes_to_show(const data::Metrics& metrics) {
  std::vector<std::size_t> classes(metrics.per_class.size());
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  if (classes.size() <= kMostClassesInTable) return classes;
  std::erase_if(classes, [&](std::size_t c) { return metrics.per_class[c].samples == 0; });
  std::ranges::stable_sort(classes, {}, [&](std::size_t c) { return metrics.per_class[c].recall; });
  classes.resize(std::min(classes.size(), kMostClassesInTable));
  return classes;
}

std::string class_table(const Evaluation& evaluation, bool has_unicode) {
  const data::Metrics& metrics = evaluation.metrics;
  Table table({{"class", Table::Align::kLeft}, {"files"}, {"recall", Table::Align::kLeft}, {""}, {"precision"}});
  for (const std::size_t c : classes_to_show(metrics)) {
    const data::ClassMetrics& one = metrics.per_class[c];
    const auto answered = [c](const auto& row) { return row[c] > 0; };
    const bool has_precision = std::ranges::any_of(metrics.confusion, answered);
    table.add_row({base::printable(evaluation.labels[c]), grouped(one.samples),
                   pad_right(bar(one.recall, kBarColumns, has_unicode), kBarColumns),
                   one.samples > 0 ? percent(one.recall) : "-", has_precision ? percent(one.precision) : "-"});
  }
  const bool shows_all = metrics.per_class.size() <= kMostClassesInTable;
  const std::string note = shows_all ? ""
                                     : fmt::format("the {} of {} classes with the lowest recall (--json has all)\n",
                                                   kMostClassesInTable, grouped(std::ssize(metrics.per_class)));
  return "\n" + note + table.text();
}

/// Rows are truths, columns are answers; columns are headed by labels where these fit the screen, else by numbers.
std::string confusion_matrix(const Evaluation& evaluation, std::size_t columns) {
  const auto table_with = [&](bool has_labels) {
    std::vector<Table::Column> headings{{has_labels ? "truth \\ answer" : "truth \\ answer no.", Table::Align::kLeft}};
    for (std::size_t c = 0; c < evaluation.labels.size(); ++c)
      headings.push_back({has_labels ? base::printable(evaluation.labels[c]) : std::to_string(c)});
    Table table(std::move(headings));
    for (std::size_t c = 0; c < evaluation.labels.size(); ++c) {
      const std::string label = base::printable(evaluation.labels[c]);
      std::vector<std::string> cells{has_labels ? label : fmt::format("{:2} {}", c, label)};
      for (const std::int64_t count : evaluation.metrics.confusion[c])
        cells.push_back(count == 0 ? "." : std::to_string(count));
      table.add_row(std::move(cells));
    }
    return table.text();
  };
  const std::string labelled = table_with(true);
  return "\n" + (display_width(labelled.substr(0, labelled.find('\n'))) <= columns ? labelled : table_with(false));
}

std::string confused_pairs(const Evaluation& evaluation) {
  struct Pair {
    std::size_t truth, answer;
    std::int64_t count;
  };
  std::vector<Pair> pairs;
  const auto& confusion = evaluation.metrics.confusion;
  for (std::size_t truth = 0; truth < confusion.size(); ++truth)
    for (std::size_t answer = 0; answer < confusion.size(); ++answer)
      if (truth != answer && confusion[truth][answer] > 0) pairs.push_back({truth, answer, confusion[truth][answer]});
  if (pairs.empty()) return {};
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  Table table(
      {{"most confused", Table::Align::kLeft}, {"taken for", Table::Align::kLeft}, {"files"}, {"of the class"}});
  for (const Pair& pair : std::span(pairs).first(std::min(pairs.size(), kMostPairs))) {
    const auto samples = static_cast<double>(evaluation.metrics.per_class[pair.truth].samples);
    table.add_row({base::printable(evaluation.labels[pair.truth]), base::printable(evaluation.labels[pair.answer]),
                   grouped(pair.count), percent(static_cast<double>(pair.count) / samples)});
  }
  return "\n" + table.text();
}

}  // namespace

std::string evaluation_heading(const Evaluation& evaluation) {
  const data::Metrics& metrics = evaluation.metrics;
  std::int64_t num_right = 0;
  for (std::size_t c = 0; c < metrics.confusion.size(); ++c) num_right += metrics.confusion[c][c];
  const std::string of_split = evaluation.split == "all" ? "" : " of the " + evaluation.split + " set";
  std::string text = fmt::format("accuracy           {:>7}  {} of {}{}\n", percent(metrics.top1), grouped(num_right),
                                 counted(metrics.samples, "file"), of_split);
  if (data::shows_top5(metrics.per_class.size()))
    text += fmt::format("among the best 5   {:>7}\n", percent(metrics.top5));
  text += fmt::format("calibration error  {:>7}\n", percent(metrics.calibration_error));
  text += fmt::format("loss               {:7.4f}\n", metrics.loss);
  if (const auto num_failed = static_cast<std::int64_t>(evaluation.failures.size()); num_failed > 0)
    text += fmt::format("failed             {:>7}  not counted above\n", grouped(num_failed));
  return text;
}

std::string evaluation_text(const Evaluation& evaluation, const Console& console) {
  const bool has_matrix = evaluation.labels.size() <= kMostClassesInMatrix;
  return evaluation_heading(evaluation) + class_table(evaluation, console.has_unicode) +
         (has_matrix ? confusion_matrix(evaluation, static_cast<std::size_t>(console.columns))
                     : confused_pairs(evaluation));
}

}  // namespace byteformer::cli
