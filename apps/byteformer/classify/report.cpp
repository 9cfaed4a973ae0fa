// Writes reports: an aligned table for people, JSON and JSON lines for programs.
#include "classify/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "output/json.hpp"
#include "output/text.hpp"

namespace byteformer::cli {

namespace {

void write_prediction(JsonWriter& json, const std::string& label, int index, float score,
                      const format::LabelInfo* info = nullptr) {
  json.begin_object().field("label", label).field("index", index).field("score", score);
  if (info != nullptr) {
    if (!info->media_type.empty()) json.field("media_type", info->media_type);
    if (!info->group.empty()) json.field("group", info->group);
    json.key("extensions").array(info->extensions);
    if (!info->aliases.empty()) json.key("aliases").array(info->aliases);
  }
  json.end_object();
}

void write_answer(JsonWriter& json, const Report& report) {
  json.field("status", "ok").field("bytes", report.num_bytes).field("tokens", report.num_tokens);
  if (report.was_prepared) json.field("prepared", true);
  json.key("predictions").begin_array();
  if (report.is_unknown) write_prediction(json, "unknown", -1, report.predictions.front().score);
  for (std::size_t i = 0; i < report.predictions.size(); ++i) {
    const auto& [index, label, score] = report.predictions[i];
    write_prediction(json, label, index, score, i < report.infos.size() ? report.infos[i] : nullptr);
  }
  json.end_array();
  if (!report.logits.empty()) json.key("logits").array(report.logits);
  if (!report.features.empty()) json.key("features").array(report.features);
}

/// JSON objects, each after what stands before it.
class JsonReportWriter : public ReportWriter {
 public:
  struct Frame {
    const char *before_first, *before_others, *after_each, *end, *end_of_none;
  };
  JsonReportWriter(Console& console, const Frame& frame) : console_(console), frame_(frame) {}

  void write(const std::vector<Report>& batch) override {
    for (const Report& report : batch) {
      console_.out << (is_first_ ? frame_.before_first : frame_.before_others) + to_json(report) + frame_.after_each;
      is_first_ = false;
    }
    console_.out.flush();
  }
  void finish() override { console_.out << (is_first_ ? frame_.end_of_none : frame_.end); }

 private:
  Console& console_;
  Frame frame_;
  bool is_first_ = true;
};

constexpr std::size_t kLongestAlignedPath = 48;    // one long path must not push all bars off the screen
constexpr std::size_t kLongestForecastLabel = 24;  // nor one of a thousand labels that may never be seen

/// "image/jpeg, image, .jpg .jpeg"
std::string words(const format::LabelInfo& info) {
  std::string text = info.media_type;
  if (!info.group.empty()) text += (text.empty() ? "" : ", ") + info.group;
  for (const std::string& extension : info.extensions)
    text += (&extension != &info.extensions.front() ? " ." : text.empty() ? "." : ", .") + extension;
  return text;
}

class TableWriter : public ReportWriter {
 public:
  TableWriter(Console& console, const TableForecast& forecast) : console_(console) {
    for (const std::string& path : forecast.paths) fit_path(path);
    for (const std::string& label : forecast.labels)
      label_columns_ = std::max(label_columns_, std::min(label_width(label), kLongestForecastLabel));
  }

  void write(const std::vector<Report>& batch) override {
    fit_columns(batch);
    for (const Report& report : batch) {
      if (report.error) {
        console_.out.flush();  // so that both streams on one terminal keep the order of the inputs
        complain(console_, *report.error);
      } else {
        write_answer(report);
      }
    }
    console_.out.flush();
  }
  void finish() override {}

 private:
  /// Columns only ever grow, so that the rows of a long run stay aligned.
  void fit_columns(const std::vector<Report>& batch) {
    for (const Report& report : batch) {
      if (report.error) continue;
      fit_path(report.path);
      for (const Prediction& prediction : report.predictions)
        label_columns_ = std::max(label_columns_, label_width(prediction.label));
    }
  }

  void fit_path(const std::string& path) {
    path_columns_ = std::max(path_columns_, std::min(display_width(base::printable(path)), kLongestAlignedPath));
  }

  static std::size_t label_width(const std::string& label) { return display_width(base::printable(label)); }

  void write_answer(const Report& report) {
    const std::string path = base::printable(report.path);
    std::string text = style(kBold, pad_right(path, path_columns_));
    if (display_width(path) > path_columns_) text += fmt::format("\n{:{}}", "", path_columns_);
    if (report.is_unknown) {
      const Prediction& best = report.predictions.front();
      text += fmt::format("  {} (best: {} {:.1f} %)\n", style(kBold, "unknown"), base::printable(best.label),
                          100 * best.score);
    } else {
      for (std::size_t i = 0; i < report.predictions.size(); ++i)
        text += (i == 0 ? "" : std::string(path_columns_, ' ')) + class_columns(report, i) + "\n";
    }
    console_.out << text;
  }

  std::string class_columns(const Report& report, std::size_t rank) const {
    const Prediction& prediction = report.predictions[rank];
    const std::string drawn = bar(prediction.score, kBarColumns, console_.has_unicode);
    std::string text =
        fmt::format("  {}  {}  {:5.1f} %", pad_right(base::printable(prediction.label), label_columns_),
                    style(rank == 0 ? kGreen : kDim, pad_right(drawn, kBarColumns)), 100 * prediction.score);
    if (rank == 0 && !report.infos.empty() && report.infos.front() != nullptr)
      if (const std::string info = words(*report.infos.front()); !info.empty())
        text += "  " + style(kDim, base::printable(info));
    if (!report.logits.empty())
      text += fmt::format("  logit {:9.5f}", report.logits[static_cast<std::size_t>(prediction.index)]);
    return text;
  }

  static constexpr const char* kBold = "1";
  static constexpr const char* kDim = "2";
  static constexpr const char* kGreen = "32";
  std::string style(const char* code, const std::string& text) const {
    return console_.has_colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  }

  Console& console_;
  std::size_t path_columns_ = 0;
  std::size_t label_columns_ = 0;
};

}  // namespace

Report make_report(const std::string& path, FileResult result, bool was_prepared, const Classifier& classifier,
                   const format::ModelConfig& config, const ReportForm& form) {
  Report report;
  report.path = path;
  if (const Error* error = std::get_if<Error>(&result)) {
    report.error = base::about(path, *error);
    return report;
  }
  Output& output = std::get<Output>(result);
  report.was_prepared = was_prepared;
  report.num_bytes = output.num_bytes;
  report.num_tokens = output.num_tokens;
  report.predictions = classifier.top_k(output, form.top_k);
  for (const Prediction& prediction : report.predictions) {
    const auto info = config.label_info.find(prediction.label);
    report.infos.push_back(info == config.label_info.end() ? nullptr : &info->second);
  }
  const auto threshold = form.threshold ? static_cast<float>(*form.threshold) : classifier.unknown_below();
  report.is_unknown = report.predictions.front().score < threshold;
  if (form.logits) report.logits = std::move(output.logits);
  if (form.features) report.features = std::move(output.features);
  return report;
}

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
  return std::make_unique<JsonReportWriter>(console, JsonReportWriter::Frame{"", "", "\n", "", ""});
}

std::unique_ptr<ReportWriter> make_json_array_writer(Console& console) {
  return std::make_unique<JsonReportWriter>(console, JsonReportWriter::Frame{"[\n", ",\n", "", "\n]\n", "[]\n"});
}

std::unique_ptr<ReportWriter> make_table_writer(Console& console, const TableForecast& forecast) {
  return std::make_unique<TableWriter>(console, forecast);
}

}  // namespace byteformer::cli
