// Reports as JSON: an array or lines, each file's object written as soon as it is known.
#include "base/text.hpp"
#include "classify/report.hpp"
#include "output/json.hpp"

namespace byteformer::cli {
namespace {

void write_prediction(JsonWriter& json, const std::string& label, int index, float score) {
  json.begin_object().field("label", label).field("index", index).field("score", score).end_object();
}

void write_answer(JsonWriter& json, const Report& report) {
  json.field("status", "ok").field("bytes", report.num_bytes).field("tokens", report.num_tokens);
  if (report.was_prepared) json.field("prepared", true);
  json.key("predictions").begin_array();
  if (report.is_unknown) write_prediction(json, "unknown", -1, report.predictions.front().score);
  for (const Prediction& prediction : report.predictions)
    write_prediction(json, prediction.label, prediction.index, prediction.score);
  json.end_array();
  if (!report.logits.empty()) json.key("logits").value(std::span<const float>(report.logits));
  if (!report.features.empty()) json.key("features").value(std::span<const float>(report.features));
}

class JsonLinesWriter : public ReportWriter {
 public:
  explicit JsonLinesWriter(Console& console) : console_(console) {}

  void write(const std::vector<Report>& batch) override {
    for (const Report& report : batch) console_.out << to_json(report) + "\n";
    console_.out.flush();
  }
  void finish() override {}

 private:
  Console& console_;
};

class JsonArrayWriter : public ReportWriter {
 public:
  explicit JsonArrayWriter(Console& console) : console_(console) {}

  void write(const std::vector<Report>& batch) override {
    for (const Report& report : batch) {
      console_.out << (is_first_ ? "[\n" : ",\n") + to_json(report);
      is_first_ = false;
    }
    console_.out.flush();
  }
  void finish() override { console_.out << (is_first_ ? "[]\n" : "\n]\n"); }

 private:
  Console& console_;
  bool is_first_ = true;
};

}  // namespace

std::string to_json(const Report& report) {
  JsonWriter json;
  json.begin_object().field("path", base::escape_bytes(report.path));
  if (report.error) {
    json.field("status", "error").key("error").begin_object();
    json.field("code", to_string(report.error->code())).field("message", report.error->what()).end_object();
  } else {
    write_answer(json, report);
  }
  return json.end_object().text();
}

std::unique_ptr<ReportWriter> make_json_lines_writer(Console& console) {
  return std::make_unique<JsonLinesWriter>(console);
}

std::unique_ptr<ReportWriter> make_json_array_writer(Console& console) {
  return std::make_unique<JsonArrayWriter>(console);
}

}  // namespace byteformer::cli
