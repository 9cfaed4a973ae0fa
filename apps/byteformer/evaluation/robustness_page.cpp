// Curves as a page: for each kind of damage a chart and its table.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/file_io.hpp"
#include "chart/html.hpp"
#include "chart/line_chart.hpp"
#include "chart/page.hpp"
#include "evaluation/evaluation.hpp"
#include "evaluation/text_parts.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

using chart::escaped;

constexpr double kWideRange = 20;  // of the highest to the lowest level; beyond it an axis is logarithmic
constexpr std::size_t kBaselineColor = 5;

constexpr const char* kStyle =
    ".kind{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:flex-start}.kind svg{flex:none}";

std::string curve_chart(const RobustnessCurve& curve, double undamaged) {
  chart::Series line{.name = "damaged", .x = {}, .y = {}, .has_markers = true};
  for (const RobustnessPoint& point : curve.points) {
    line.x.push_back(point.level);
    line.y.push_back(point.metrics.samples > 0 ? 100 * point.metrics.top1 : NAN);
  }
  const auto [lowest, highest] = std::pair(line.x.front(), line.x.back());
  const bool is_logarithmic = lowest > 0 && highest / lowest >= kWideRange;
  const double first = is_logarithmic || curve.kind->low > 0 ? lowest : 0;
  const chart::Series whole{.name = "whole files",
                            .x = {first, highest},
                            .y = {100 * undamaged, 100 * undamaged},
                            .color = chart::kColors[kBaselineColor],
                            .is_dashed = true};
  return chart::line_chart(std::string(curve.kind->name),
                           {.label = std::string(curve.kind->quantity), .is_logarithmic = is_logarithmic},
                           {line, whole}, {.label = "top-1, %", .low = 0, .high = 100});
}

std::string row(const std::string& level, const data::Metrics& metrics, std::int64_t num_failed) {
  if (metrics.samples == 0) return fmt::format("<tr><td>{}<td>-<td>-<td>{}</tr>", level, grouped(num_failed));
  return fmt::format("<tr><td>{}<td>{}<td>{:.4f}<td>{}</tr>", level, percent(metrics.top1), metrics.loss,
                     grouped(num_failed));
}

std::string curve_table(const RobustnessCurve& curve, const Evaluation& evaluation) {
  std::string html = "<table><tr><th>level<th>top-1<th>loss<th>failed</tr>";
  html += row("whole files", evaluation.metrics, std::ssize(evaluation.failures));
  for (const RobustnessPoint& point : curve.points)
    html += row(fmt::format("{}", point.level), point.metrics, point.num_failed);
  return html + "</table>";
}

std::string description(const Robustness& robustness) {
  return fmt::format(
      "<p class=note>{} Damage is drawn anew for every file, by the file's bytes and the seed {}. Encoding anew comes "
      "before files are prepared. Files that fail are in no figure.</p>",
      robustness.is_of_source ? "Damage hits the files as they lie on disk, before they are decoded."
                              : "Damage hits the bytes that the model reads, after files are prepared.",
      robustness.seed);
}

}  // namespace

std::string robustness_page(const Evaluation& evaluation) {
  const data::Metrics& metrics = evaluation.metrics;
  std::string html = fmt::format(
      "<h1>{} on damaged files</h1><div class=numbers><div><b>{}</b>top-1 on {} of {}{}</div>"
      "<div><b>{:.4f}</b>loss</div></div>",
      escaped(base::printable(evaluation.model)), percent(metrics.top1), counted(metrics.samples, "whole file"),
      escaped(base::printable(evaluation.data)), evaluation.split == "all" ? "" : ", " + evaluation.split + " set",
      metrics.loss);
  html += description(*evaluation.robustness);
  for (const RobustnessCurve& curve : evaluation.robustness->curves)
    html += fmt::format("<h2>{}</h2><div class=kind>{}{}</div>", curve.kind->name, curve_chart(curve, metrics.top1),
                        curve_table(curve, evaluation));
  return chart::html_page(base::printable(evaluation.model) + " on damaged files", html, kStyle);
}

}  // namespace byteformer::cli
