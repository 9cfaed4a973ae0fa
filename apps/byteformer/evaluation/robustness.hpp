// How a model's accuracy falls when files are damaged or encoded anew: what was asked for, and its measurement.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "console.hpp"
#include "data/corruption.hpp"
#include "evaluation/evaluation.hpp"

namespace byteformer::cli {

class Examiner;

/// The levels at which one kind is to be measured, ascending and each once.
struct CurvePlan {
  const data::CorruptionKind* kind;
  std::vector<double> levels;
};

/// Reads values of --corrupt: "KIND" for its usual levels, or "KIND:LEVEL,LEVEL". Values of one kind add up.
/// \throws UsageError saying what would make sense
std::vector<CurvePlan> parse_curve_plans(const std::vector<std::string>& values);

struct RobustnessSetting {
  std::vector<CurvePlan> curves;
  std::uint64_t seed = 0;
  bool is_of_source = false;  ///< whether damage hits files as they lie on disk

  /// Points of all curves.
  std::size_t num_points() const noexcept;
};

/// Examines `samples` once for each level. A level at which files fail is a line on standard error. Stops early where
/// it is interrupted.
Robustness measure_robustness(const RobustnessSetting& setting, const Classifier& classifier,
                              const prepare::Preprocess& preprocess, std::span<const data::Sample> samples,
                              Examiner& examiner, Console& console);

}  // namespace byteformer::cli
