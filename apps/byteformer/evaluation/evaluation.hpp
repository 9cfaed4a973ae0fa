// What a model gets right of a labelled data set, and the forms in which it is written: for people, and JSON.
#pragma once

#include <string>
#include <vector>

#include "byteformer/error.hpp"
#include "console.hpp"
#include "data/metrics.hpp"

namespace byteformer::cli {

/// A file that the model could not answer.
struct Failure {
  std::string path;
  Error error;
};

struct Evaluation {
  std::string model, data;  ///< as they were given
  std::string split;        ///< "test", "validation", "train" or "all"
  std::vector<std::string> labels;
  data::Metrics metrics;  ///< over the files that were answered
  std::vector<Failure> failures;
};

/// One JSON object, its line ended.
std::string evaluation_json(const Evaluation& evaluation);

/// Accuracy, a table of classes, and what was taken for what.
std::string evaluation_text(const Evaluation& evaluation, const Console& console);

}  // namespace byteformer::cli
