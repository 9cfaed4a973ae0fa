// Examines a model at each level of damage, and shows the curves as text and as a page.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/file_io.hpp"
#include "chart/charts.hpp"
#include "chart/page.hpp"
#include "common/interrupt.hpp"
#include "evaluation/evaluation.hpp"
#include "exit_status.hpp"
#include "output/text.hpp"

namespace byteformer::cli {

namespace {

double parse_level(const std::string& text, const std::string& value) {
  double level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    throw UsageError(
        fmt::format("{} {}: `{}` is no level; write KIND:LEVEL, or KIND:LEVEL,LEVEL", kCorruptOption, value, text));
  return level;
}

std::vector<double> parse_levels(const std::string& value, const std::string& list, const data::CorruptionKind& kind) {
  std::vector<double> levels;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    levels.push_back(parse_level(list.substr(begin, end - begin), value));
    data::validate_level(kind, levels.back());
    begin = end + 1;
  }
  return levels;
}

void add(std::vector<CurvePlan>& plans, const data::CorruptionKind& kind, std::vector<double> levels) {
  auto plan = std::ranges::find(plans, &kind, &CurvePlan::kind);
  if (plan == plans.end()) plan = plans.insert(plans.end(), {&kind, {}});
  plan->levels.insert(plan->levels.end(), levels.begin(), levels.end());
  std::ranges::sort(plan->levels);
  plan->levels.erase(std::unique(plan->levels.begin(), plan->levels.end()), plan->levels.end());
}

RobustnessPoint point_of(const Examination& examination, double level) {
  RobustnessPoint point{.level = level,
                        .metrics = data::measure(examination.answers),
                        .num_failed = std::ssize(examination.failures),
                        .first_failure = {}};
  if (!examination.failures.empty()) point.first_failure = examination.failures.front();
  return point;
}

std::string curve_table(const RobustnessCurve& curve, bool has_unicode) {
  Table table({{"level"}, {"top-1", Table::Align::kLeft}, {""}, {"loss"}, {"failed"}});
  for (const RobustnessPoint& point : curve.points) {
    const bool is_answered = point.metrics.samples > 0;
    table.add_row({fmt::format("{}", point.level),
                   pad_right(is_answered ? bar(point.metrics.top1, kBarColumns, has_unicode) : "", kBarColumns),
                   is_answered ? percent(point.metrics.top1) : "-",
                   is_answered ? fmt::format("{:.4f}", point.metrics.loss) : "-", grouped(point.num_failed)});
  }
  return table.text();
}

using chart::escaped;

constexpr double kWideRange = 20;  // of the highest to the lowest level; beyond it an axis is logarithmic
constexpr std::size_t kBaselineColor = 5;

constexpr const char* kRobustnessStyle =
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

std::vector<CurvePlan> parse_curve_plans(const std::vector<std::string>& values) {
  std::vector<CurvePlan> plans;
  for (const std::string& value : values) try {
      const std::size_t colon = value.find(':');
      const data::CorruptionKind& kind = data::find_corruption_kind(value.substr(0, colon));
      if (colon == std::string::npos)
        add(plans, kind, {kind.usual_levels.begin(), kind.usual_levels.end()});
      else
        add(plans, kind, parse_levels(value, value.substr(colon + 1), kind));
    } catch (const Error& error) {
      throw UsageError(fmt::format("{} {}: {}", kCorruptOption, value, error.what()));
    }
  return plans;
}

std::size_t RobustnessSetting::num_points() const noexcept {
  std::size_t count = 0;
  for (const CurvePlan& curve : curves) count += curve.levels.size();
  return count;
}

Robustness measure_robustness(const RobustnessSetting& setting, const Classifier& classifier,
                              const prepare::Preprocess& preprocess, std::span<const data::Sample> samples,
                              Examiner& examiner, Console& console) {
  Robustness robustness{.seed = setting.seed, .is_of_source = setting.is_of_source, .curves = {}};
  for (const auto& [kind, levels] : setting.curves) {
    RobustnessCurve& curve = robustness.curves.emplace_back(RobustnessCurve{kind, {}});
    for (const double level : levels) {
      const data::Corruption corruption{kind, level, setting.seed, setting.is_of_source};
      const SampleClassifier files(classifier, preprocess, corruption);
      const RobustnessPoint& point = curve.points.emplace_back(point_of(examiner.examine(files, samples), level));
      if (interrupted()) return robustness;
      if (!point.first_failure) continue;
      examiner.progress().clear();
      complain(console, fmt::format("{}:{}: {} failed, the first: {}", kind->name, level,
                                    counted(point.num_failed, "file"), point.first_failure->error.what()));
    }
  }
  return robustness;
}

bool Evaluation::has_failures() const noexcept {
  if (!failures.empty()) return true;
  if (!robustness) return false;
  return std::ranges::any_of(robustness->curves, [](const RobustnessCurve& curve) {
    return std::ranges::any_of(curve.points, [](const RobustnessPoint& point) { return point.num_failed > 0; });
  });
}

std::string robustness_text(const Evaluation& evaluation, const Console& console) {
  std::string text = evaluation_heading(evaluation);
  for (const RobustnessCurve& curve : evaluation.robustness->curves)
    text += fmt::format(
                "\n{}: {}{}\n", curve.kind->name, curve.kind->quantity,
                evaluation.robustness->is_of_source && !curve.kind->is_re_encoding() ? ", in the file itself" : "") +
            curve_table(curve, console.has_unicode);
  return text;
}

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
  return chart::html_page(base::printable(evaluation.model) + " on damaged files", html, kRobustnessStyle);
}

}  // namespace byteformer::cli
