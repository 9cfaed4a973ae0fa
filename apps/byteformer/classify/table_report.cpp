// Reports for people: an aligned table with a bar a class.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file_io.hpp"
#include "classify/report.hpp"
#include "output/bar.hpp"
#include "output/utf8.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kBarColumns = 20;
constexpr std::size_t kLongestAlignedPath = 48;    // one long path must not push all bars off the screen
constexpr std::size_t kLongestForecastLabel = 24;  // nor one of a thousand labels that may never be seen

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

std::unique_ptr<ReportWriter> make_table_writer(Console& console, const TableForecast& forecast) {
  return std::make_unique<TableWriter>(console, forecast);
}

}  // namespace byteformer::cli
