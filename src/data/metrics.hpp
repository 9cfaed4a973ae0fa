// How good answers are: accuracy, confusion, calibration, and the temperature that makes scores mean what they say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace byteformer::data {

/// Logits of many files and what they should be.
struct Answers {
  std::size_t num_classes = 0;
  std::vector<float> logits;  ///< [files, num_classes]
  std::vector<int> labels;    ///< [files]

  std::size_t size() const noexcept { return labels.size(); }
  std::span<const float> of(std::size_t file) const {
    return std::span(logits).subspan(file * num_classes, num_classes);
  }
  void add(std::span<const float> file_logits, int label) {
    logits.insert(logits.end(), file_logits.begin(), file_logits.end());
    labels.push_back(label);
  }
};

struct ClassMetrics {
  std::int64_t samples = 0;
  std::optional<double> recall;     ///< nothing if there are no samples
  std::optional<double> precision;  ///< nothing if the class is never answered
};

struct Metrics {
  std::int64_t samples = 0;
  double top1 = 0;               ///< share of files whose best class is right
  double top5 = 0;               ///< share of files whose class is among the best five
  double loss = 0;               ///< mean cross entropy of the softmax, at temperature 1
  double calibration_error = 0;  ///< expected calibration error over 15 bins of the best score, with the temperature
  std::vector<ClassMetrics> per_class;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [truth][answer]
};

/// \param temperature divides the logits for the calibration error
Metrics measure(const Answers& answers, double temperature = 1);

/// Whether the answers are no better than those of someone who knows how frequent each class is and looks at no file,
/// as far as so many files can tell.
bool only_guesses(const Metrics& metrics);

/// Whether the five best of so many classes say more than the best.
constexpr bool shows_top5(std::size_t num_classes) noexcept { return num_classes > 5; }

/// The class with the largest logit; the first of equal ones.
int best_class(std::span<const float> logits) noexcept;

/// softmax(logits / temperature)
std::vector<double> softmax(std::span<const float> logits, double temperature = 1);

/// The temperature in [0.05, 20] with the least mean cross entropy. \see Guo et al., "On Calibration of Modern Neural
/// Networks", 2017
double fit_temperature(const Answers& answers);

}  // namespace byteformer::data
