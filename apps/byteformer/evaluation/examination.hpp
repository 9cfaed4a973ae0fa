// Labelled files put to a model: its answers, and which files it could not answer.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "classify/sample_classifier.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "evaluation/evaluation.hpp"
#include "output/progress_bar.hpp"

namespace byteformer::cli {

struct Examination {
  data::Answers answers;
  std::vector<data::Sample> answered;  ///< the file of each answer
  std::vector<Failure> failures;
  std::size_t num_prepared = 0;
};

/// Examines as often as it is asked to; the progress bar, which must outlive it, goes on.
class Examiner {
 public:
  Examiner(std::size_t num_classes, std::size_t batch_size, ProgressBar& progress)
      : num_classes_(num_classes), batch_size_(batch_size), progress_(progress) {}

  /// Stops early where it is interrupted. \param on_failure is told of each as it happens
  Examination examine(const SampleClassifier& files, std::span<const data::Sample> samples,
                      const std::function<void(const Failure&)>& on_failure);

  ProgressBar& progress() noexcept { return progress_; }

 private:
  std::size_t num_classes_, batch_size_;
  ProgressBar& progress_;
  std::size_t num_done_ = 0;
};

}  // namespace byteformer::cli
