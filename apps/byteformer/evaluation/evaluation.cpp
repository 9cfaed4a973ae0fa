// Puts files to the model, batch by batch; what comes out as JSON and as text for people.
#include "evaluation/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <variant>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "common/interrupt.hpp"
#include "format/model_folder.hpp"
#include "output/json.hpp"
#include "output/text.hpp"
#include "plan/settings.hpp"

namespace byteformer::cli {

data::DataSet find_labelled(const std::filesystem::path& path, const std::filesystem::path& model_dir) {
  const format::ModelConfig config = format::read_config(model_dir);
  data::DataSetOptions find;
  find.classes = config.labels;
  for (const auto& [label, info] : config.label_info)
    for (const std::string& alias : info.aliases) find.aliases.emplace(alias, label);
  find.split_validation = false;
  find.needs_training_files = false;
  return data::find_data_set(path, find);
}

Examiner::Examiner(std::span<const std::string> labels, std::size_t batch_size, ProgressBar& progress)
    : num_classes_(labels.size()), batch_size_(batch_size), progress_(progress) {
  std::map<std::string_view, std::vector<int>> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(static_cast<int>(i));
  for (const auto& [name, same] : classes)
    if (same.size() > 1)
      for (const int label : same) namesakes_[label] = same;
}

int Examiner::meant_class(int label, std::span<const float> logits) const {
  const auto found = namesakes_.find(label);
  if (found == namesakes_.end()) return label;
  return *std::ranges::max_element(found->second, {}, [&](int i) { return logits[static_cast<std::size_t>(i)]; });
}

Examination Examiner::examine(const SampleClassifier& files, std::span<const data::Sample> samples,
                              const std::function<void(const Failure&)>& on_failure) {
  Examination result;
  result.answers.num_classes = num_classes_;
  for (std::size_t begin = 0; begin < samples.size() && !interrupted(); begin += batch_size_) {
    const auto batch = samples.subspan(begin, std::min(batch_size_, samples.size() - begin));
    const std::vector<FileAnswer> answers = files.classify(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      result.num_prepared += answers[i].was_prepared ? 1 : 0;
      if (const Output* output = std::get_if<Output>(&answers[i].result)) {
        result.answers.add(output->logits, meant_class(batch[i].label, output->logits));
        result.answered.push_back(batch[i]);
      } else {
        result.failures.push_back({batch[i].path.native(), std::get<Error>(answers[i].result)});
        on_failure(result.failures.back());
      }
    }
    progress_.show(num_done_ += batch.size());
  }
  return result;
}

namespace {

void write_failure(JsonWriter& json, const Failure& failure) {
  json.begin_object().field("path", base::escape_bytes(failure.path)).field("code", to_string(failure.error.code()));
  json.field("message", failure.error.what()).end_object();
}

void write_point(JsonWriter& json, const RobustnessPoint& point) {
  const data::Metrics& metrics = point.metrics;
  json.begin_object().field("level", point.level).field("samples", metrics.samples);
  json.field("top1", metrics.top1).field("top5", metrics.top5).field("loss", metrics.loss);
  json.field("failed", point.num_failed);
  if (point.first_failure) write_failure(json.key("first_failure"), *point.first_failure);
  json.end_object();
}

void write_robustness(JsonWriter& json, const Robustness& robustness) {
  json.key("corruption").begin_object().field("seed", robustness.seed).field("source", robustness.is_of_source);
  json.key("curves").array(robustness.curves, [&](const RobustnessCurve& curve) {
    json.begin_object().field("kind", curve.kind->name).field("level_is", curve.kind->quantity);
    json.key("points")
        .array(curve.points, [&](const RobustnessPoint& point) { write_point(json, point); })
        .end_object();
  });
  json.end_object();
}

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
    table.add_row({base::printable(evaluation.labels[c]), grouped(one.samples),
                   pad_right(bar(one.recall.value_or(0), kBarColumns, has_unicode), kBarColumns),
                   one.recall ? percent(*one.recall) : "-", one.precision ? percent(*one.precision) : "-"});
  }
  const bool shows_all = metrics.per_class.size() <= kMostClassesInTable;
  const std::string note =
      shows_all ? ""
                : fmt::format("the {} of {} classes with the lowest recall ({} has all)\n", kMostClassesInTable,
                              grouped(metrics.per_class.size()), plan::option_name(&plan::Request::json));
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

std::string evaluation_json(const Evaluation& evaluation) {
  const data::Metrics& metrics = evaluation.metrics;
  JsonWriter json;
  json.begin_object();
  json.field("model", base::escape_bytes(evaluation.model))
      .field("data", base::escape_bytes(evaluation.data))
      .field("split", evaluation.split);
  json.field("samples", metrics.samples).field("top1", metrics.top1).field("top5", metrics.top5);
  json.field("loss", metrics.loss).field("calibration_error", metrics.calibration_error);
  json.key("labels").array(evaluation.labels).key("per_class").begin_array();
  for (std::size_t c = 0; c < evaluation.labels.size(); ++c) {
    const data::ClassMetrics& of_class = metrics.per_class[c];
    json.begin_object().field("label", evaluation.labels[c]).field("samples", of_class.samples);
    json.field("recall", of_class.recall).field("precision", of_class.precision).end_object();
  }
  json.end_array().key("confusion").array(metrics.confusion, [&](const auto& row) { json.array(row); });
  json.key("failures").array(evaluation.failures, [&](const Failure& failure) { write_failure(json, failure); });
  if (evaluation.robustness) write_robustness(json, *evaluation.robustness);
  return json.end_object().text() + "\n";
}

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
  if (!evaluation.failures.empty())
    text += fmt::format("failed             {:>7}  not counted above\n", grouped(evaluation.failures.size()));
  return text;
}

std::string evaluation_text(const Evaluation& evaluation, const Console& console) {
  const bool has_matrix = evaluation.labels.size() <= kMostClassesInMatrix;
  return evaluation_heading(evaluation) + class_table(evaluation, console.has_unicode) +
         (has_matrix ? confusion_matrix(evaluation, static_cast<std::size_t>(console.columns))
                     : confused_pairs(evaluation));
}

}  // namespace byteformer::cli
