// Labelled files put to a model, whole and damaged: what it answers, how often that is right, and the forms in which it
// is shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "classify/sample_classifier.hpp"
#include "console.hpp"
#include "data/corruption.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"

namespace byteformer::cli {

/// A file that the model could not answer.
struct Failure {
  std::string path;
  Error error;
};

/// The labelled files at `path`, as the one who judges the model in `model_dir` finds them: by its labels, or their
/// aliases. \throws Error as data::find_data_set() and format::read_config()
data::DataSet find_labelled(const std::filesystem::path& path, const std::filesystem::path& model_dir);

/// What the model says of files.
struct Examination {
  data::Answers answers;
  std::vector<data::Sample> answered;  ///< the file of each answer
  std::vector<Failure> failures;
  std::size_t num_prepared = 0;
};

/// Examines as often as it is asked to; the progress bar, which must outlive it, goes on. Files name their class, and
/// of several classes with that name (ImageNet's cranes) each is right: the likeliest counts as what was meant.
class Examiner {
 public:
  /// \param labels  of the model's classes
  Examiner(std::span<const std::string> labels, std::size_t batch_size, ProgressBar& progress);

  /// Stops early where it is interrupted. \param on_failure is told of each as it happens
  Examination examine(
      const SampleClassifier& files, std::span<const data::Sample> samples,
      const std::function<void(const Failure&)>& on_failure = [](const Failure&) {});

  ProgressBar& progress() noexcept { return progress_; }

 private:
  int meant_class(int label, std::span<const float> logits) const;

  std::size_t num_classes_, batch_size_;
  std::map<int, std::vector<int>> namesakes_;  ///< of classes that share their name: all that do
  ProgressBar& progress_;
  std::size_t num_done_ = 0;
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

/// The figures over all files, one per line.
std::string evaluation_heading(const Evaluation& evaluation);

/// The option that asks for damage.
inline constexpr const char* kCorruptOption = "--corrupt";

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
