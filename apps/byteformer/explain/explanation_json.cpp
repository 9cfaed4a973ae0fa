// An explanation as JSON.
#include <cmath>

#include "base/text.hpp"
#include "explain/explanation_writers.hpp"
#include "output/json.hpp"

namespace byteformer::cli {
namespace {

double score_of(const ExplanationReport& report, const Output& output) {
  return static_cast<double>(report.classifier.scores(output)[static_cast<std::size_t>(report.attribution.label)]);
}

void write_windows(JsonWriter& json, const ExplanationReport& report) {
  const Explanation& occlusion = *report.attribution.occlusion;
  json.field("method", "occlusion").field("span", occlusion.span).field("step", occlusion.step).key("fill");
  if (report.fill) {
    json.value(static_cast<int>(*report.fill));
  } else {
    json.value(std::nan(""));  // null
  }
  json.field("rows_computed", occlusion.num_rows);
  json.field("rows_of_whole_runs", report.num_whole_rows * occlusion.windows.size()).key("windows").begin_array();
  for (std::size_t i = 0; i < occlusion.windows.size(); ++i) {
    json.begin_object().field("begin", occlusion.windows[i].begin).field("end", occlusion.windows[i].end);
    json.field("fall", occlusion.falls[i]).field("score", score_of(report, occlusion.without[i].output)).end_object();
  }
  json.end_array();
}

void write_gradients(JsonWriter& json, const Attribution& attribution) {
  double sum = 0;
  for (const float heat : attribution.heat) sum += static_cast<double>(heat);
  json.field("method", "integrated-gradients").field("steps", attribution.gradients->steps);
  json.field("value_without_bytes", attribution.gradients->value_without).field("sum_of_heat", sum);
}

void write_deletion(JsonWriter& json, const ExplanationReport& report) {
  const DeletionCheck& check = report.check;
  json.key("deletion").begin_object().field("bytes", check.num_bytes).field("run", check.run_bytes);
  json.field("score", check.score).field("score_without_hottest", check.score_without_hottest);
  json.field("score_without_random_runs", check.score_without_runs);
  json.field("score_without_random_bytes", check.score_without_bytes);
  const Prediction best = report.classifier.top_k(check.without_hottest, 1).front();
  json.field("answer_without_hottest", best.label).end_object();
}

}  // namespace

std::string explanation_json(const ExplanationReport& report) {
  const Attribution& attribution = report.attribution;
  JsonWriter json;
  json.begin_object().field("path", base::escape_bytes(report.file.path)).field("bytes", report.file.read.size());
  json.field("tokens", report.check.whole.num_tokens);
  if (report.file.was_prepared || !report.file.preprocess.transforms.empty()) json.field("prepared", true);
  json.field("label", report.label()).field("index", attribution.label).field("score", report.check.score);
  json.field("of", name_of(attribution.quantity)).field("value", attribution.value);
  if (attribution.occlusion) {
    write_windows(json, report);
  } else {
    write_gradients(json, attribution);
  }
  write_deletion(json, report);
  const std::vector<float> heat = report.heat();
  return json.key("heat").value(std::span<const float>(heat)).end_object().text() + "\n";
}

}  // namespace byteformer::cli
