// Puts files to the model that are damaged in all the ways that were asked for.
#include "evaluation/robustness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file_io.hpp"
#include "common/interrupt.hpp"
#include "evaluation/examination.hpp"
#include "exit_status.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

double parse_level(const std::string& text, const std::string& value) {
  double level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    throw UsageError(fmt::format("--corrupt {}: `{}` is no level; write KIND:LEVEL, or KIND:LEVEL,LEVEL", value, text));
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

void complain(const RobustnessPoint& point, const data::CorruptionKind& kind, Console& console) {
  complain(console, fmt::format("{}:{}: {} failed, the first: {}", kind.name, point.level,
                                counted(point.num_failed, "file"), point.first_failure->error.what()));
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
      throw UsageError(fmt::format("--corrupt {}: {}", value, error.what()));
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
      const RobustnessPoint& point =
          curve.points.emplace_back(point_of(examiner.examine(files, samples, [](const Failure&) {}), level));
      if (interrupted()) return robustness;
      if (!point.first_failure) continue;
      examiner.progress().clear();
      complain(point, *kind, console);
    }
  }
  return robustness;
}

}  // namespace byteformer::cli
