// What an evaluation found, and the forms in which it is shown.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/error.hpp"
#include "console.hpp"
#include "data/corruption.hpp"
#include "data/metrics.hpp"

namespace byteformer::cli {

/// A file that the model could not answer.
struct Failure {
  std::string path;
  Error error;
};

/// The same files, damaged at one level.
struct RobustnessPoint {
  double level;
  data::Metrics metrics;  ///< over the files that were answered
  std::int64_t num_failed = 0;
  std::optional<Failure> first_failure;  ///< if any failed
};

struct RobustnessCurve {
  const data::CorruptionKind* kind;
  std::vector<RobustnessPoint> points;  ///< levels ascending
};

/// Of the files that the model answers when they are whole.
struct Robustness {
  std::uint64_t seed = 0;
  bool is_of_source = false;
  std::vector<RobustnessCurve> curves;
};

struct Evaluation {
  std::string model, data;  ///< as they were given
  std::string split;        ///< "test", "validation", "train" or "all"
  std::vector<std::string> labels;
  data::Metrics metrics;  ///< over the files that were answered
  std::vector<Failure> failures;
  std::optional<Robustness> robustness = {};  ///< where damage was asked for

  bool has_failures() const noexcept;  ///< also of damaged files
};

/// One JSON object, its line ended.
std::string evaluation_json(const Evaluation& evaluation);

/// Accuracy, a table of classes, and what was taken for what.
std::string evaluation_text(const Evaluation& evaluation, const Console& console);

/// Accuracy, and a table for each kind of damage.
std::string robustness_text(const Evaluation& evaluation, const Console& console);

/// An HTML page of its own with the curves: no scripts, nothing to load.
std::string robustness_page(const Evaluation& evaluation);

inline constexpr std::size_t kBarColumns = 20;

/// 0.123 as "12.3 %".
inline std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

/// The figures over all files, one a line.
std::string evaluation_heading(const Evaluation& evaluation);

}  // namespace byteformer::cli
