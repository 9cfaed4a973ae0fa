// An evaluation as JSON.
#include "evaluation/evaluation.hpp"
#include "output/json.hpp"

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

void write_failures(JsonWriter& json, const std::vector<Failure>& failures) {
  json.key("failures").begin_array();
  for (const auto& [path, error] : failures) {
    json.begin_object().field("path", path).field("code", to_string(error.code()));
    json.field("message", error.what()).end_object();
  }
  json.end_array();
}

}  // namespace

std::string evaluation_json(const Evaluation& evaluation) {
  const data::Metrics& metrics = evaluation.metrics;
  JsonWriter json;
  json.begin_object();
  json.field("model", evaluation.model).field("data", evaluation.data).field("split", evaluation.split);
  json.field("samples", metrics.samples).field("top1", metrics.top1).field("top5", metrics.top5);
  json.field("loss", metrics.loss).field("calibration_error", metrics.calibration_error);
  json.key("labels").begin_array();
  for (const std::string& label : evaluation.labels) json.value(label);
  json.end_array();
  write_classes(json, evaluation);
  write_confusion(json, metrics);
  write_failures(json, evaluation.failures);
  return json.end_object().text() + "\n";
}

}  // namespace byteformer::cli
