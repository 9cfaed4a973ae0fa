// An evaluation as JSON.
#include "base/text.hpp"
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

}  // namespace byteformer::cli
