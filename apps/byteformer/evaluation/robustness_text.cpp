// Curves for people: a table for each kind of damage.
#include <algorithm>
#include <utility>

#include "evaluation/evaluation.hpp"
#include "evaluation/text_parts.hpp"
#include "output/bar.hpp"
#include "output/numbers.hpp"
#include "output/table.hpp"
#include "output/utf8.hpp"

namespace byteformer::cli {
namespace {

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

}  // namespace

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

}  // namespace byteformer::cli
