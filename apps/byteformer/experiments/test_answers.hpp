// What a trained model answers to the test files of a data set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "console.hpp"
#include "data/metrics.hpp"

namespace byteformer::cli {

struct TestAnswers {
  std::string split;          ///< "test"; "validation" where the data have no test files
  data::Answers answers;      ///< of the files that could be read, in their order
  std::int64_t failures = 0;  ///< the others
};

struct AnsweringOptions {
  int num_threads = 0;  ///< 0: one a processor
  bool has_progress = true;
};

/// Has the engine classify the test files of the data in `data_dir`, prepared as the model in `model_dir` expects.
/// \throws Error if model or data cannot be used, and where the data have neither test nor validation files;
/// Interrupted.
TestAnswers answer_tests(const std::filesystem::path& model_dir, const std::filesystem::path& data_dir,
                         const AnsweringOptions& options, Console& console);

}  // namespace byteformer::cli
