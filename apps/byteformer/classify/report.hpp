// What is said about one file, and the forms in which it is written: for people, JSON, JSON lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "console.hpp"
#include "format/config.hpp"

namespace byteformer::cli {

/// One file's answer, or its error.
struct Report {
  std::string path;             ///< any bytes; "-" is standard input
  bool was_prepared = false;    ///< whether the model read other bytes than those of the file
  std::uint64_t num_bytes = 0;  ///< that the model read
  std::uint64_t num_tokens = 0;
  std::vector<Prediction> predictions;               ///< best first
  std::vector<const format::LabelInfo*> infos = {};  ///< of each prediction; null where the model has none
  bool is_unknown = false;                           ///< whether the best score lies below the threshold
  std::vector<float> logits;                         ///< empty unless asked for
  std::vector<float> features;                       ///< empty unless asked for
  std::optional<Error> error;
};

/// What of an answer is said.
struct ReportForm {
  int top_k = 5;
  std::optional<double> threshold = {};  ///< default: the model's
  bool logits = false, features = false;
};

/// \param path  of the file, any bytes
/// \param config  of the model; must outlive the report
Report make_report(const std::string& path, FileResult result, bool was_prepared, const Classifier& classifier,
                   const format::ModelConfig& config, const ReportForm& form);

/// Writes reports as they come.
class ReportWriter {
 public:
  virtual ~ReportWriter() = default;
  virtual void write(const std::vector<Report>& batch) = 0;
  virtual void finish() = 0;  ///< called once, also after an interrupt
};

/// What will be in a table, as far as it is known before: columns are that wide from the first row on.
struct TableForecast {
  std::vector<std::string> paths = {};
  std::vector<std::string> labels = {};
};

/// An aligned table with bars; errors become lines on standard error.
std::unique_ptr<ReportWriter> make_table_writer(Console& console, const TableForecast& forecast = {});

/// One JSON object per line.
std::unique_ptr<ReportWriter> make_json_lines_writer(Console& console);

/// One JSON array with an object per file.
std::unique_ptr<ReportWriter> make_json_array_writer(Console& console);

/// The JSON object of one file.
std::string to_json(const Report& report);

}  // namespace byteformer::cli
