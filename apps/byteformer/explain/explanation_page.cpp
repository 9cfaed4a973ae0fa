// An explanation as an HTML page.
#include <fmt/format.h>

#include "base/file_io.hpp"
#include "chart/html.hpp"
#include "chart/page.hpp"
#include "explain/explanation_writers.hpp"
#include "explain/page_parts.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

constexpr int kMostClasses = 5;

using chart::escaped;

std::string percent(double score) { return fmt::format("{:.1f} %", 100 * score); }

std::string number(double value, const std::string& what) {
  return "<div><b>" + percent(value) + "</b>" + escaped(what) + "</div>";
}

std::string numbers(const ExplanationReport& report) {
  const DeletionCheck& check = report.check;
  const std::string runs = counted(static_cast<std::int64_t>(check.run_bytes), "byte");
  return "<div class=numbers>" + number(check.score, base::printable(report.label()) + ", the whole file") +
         number(check.score_without_hottest, "without its hottest tenth") +
         number(check.score_without_runs, "without a random tenth, in runs of " + runs) +
         number(check.score_without_bytes, "without a random tenth, single bytes") + "</div>";
}

std::string scores(const ExplanationReport& report) {
  const std::vector<float> with = report.classifier.scores(report.check.whole);
  const std::vector<float> without = report.classifier.scores(report.check.without_hottest);
  std::string html = "<div class=scores><table><tr><th>class<th>the whole file<th>without the hottest tenth</tr>";
  for (const Prediction& prediction : report.classifier.top_k(report.check.whole, kMostClasses)) {
    const auto i = static_cast<std::size_t>(prediction.index);
    html += fmt::format("<tr><td>{}<td>{}<td>{}</tr>", escaped(base::printable(prediction.label)),
                        percent(static_cast<double>(with[i])), percent(static_cast<double>(without[i])));
  }
  return html + "</table></div>";
}

std::string origin(const ExplanationReport& report) {
  const ExplainedFile& file = report.file;
  std::string text = fmt::format("model {}; {} read", base::printable(report.model),
                                 counted(static_cast<std::int64_t>(file.read.size()), "byte"));
  if (file.was_prepared || !file.preprocess.transforms.empty())
    text += ", prepared as " + prepare::describe(file.preprocess);
  return "<p class=note>" + escaped(text) + "</p>";
}

}  // namespace

std::string explanation_page(const ExplanationReport& report) {
  const std::vector<float> heat = report.heat();
  const HeatScale scale(heat);
  const std::string label = base::printable(report.label());
  const std::string title = fmt::format("Why {} is {}", base::printable(report.file.path), label);
  std::string html = "<h1>" + escaped(title) + "</h1>" + origin(report) + numbers(report);
  html += "<h2>Which bytes</h2>" + legend_html(scale, label, name_of(report.attribution.quantity)) +
          profile_svg(heat, scale) + "<p class=note>" + escaped(method_text(report)) + ".</p>";
  if (const auto picture = picture_heat(report.file, heat))
    html += "<h2>Where in the picture</h2>" + picture_html(*picture);
  if (const auto sound = sound_heat(report.file, heat)) html += "<h2>Where in the sound</h2>" + sound_html(*sound);
  html += "<h2>Scores</h2>" + scores(report);
  html += "<h2>Bytes</h2>" + dump_html(report.file.encoded, heat, scale);
  return chart::html_page(title, html, page_style());
}

}  // namespace byteformer::cli
