// What is kept of a run: enough to trace each number in the results to how it came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/run.hpp"
#include "plan/progress.hpp"

namespace byteformer::experiments {

/// How the training went.
struct TrainingLog {
  std::string data_fingerprint;  ///< of names, sizes and labels of all files
  std::int64_t steps = 0, best_step = 0;
  double epochs = 0;
  double seconds = 0;
  std::vector<plan::ValidationResult> history;  ///< logs do not hold its top-5 and learning rates
};

/// How the engine judged the model by test files.
struct TestResult {
  std::string data;   ///< a DataSource's name
  std::string split;  ///< "test" or "validation"
  std::int64_t files = 0, failures = 0;
  double top1 = 0, loss = 0;
};

/// Whether a rekeyed model says of permuted files what the plain model says of plain files.
struct RekeyingLog {
  std::string of;  ///< the experiment whose model was rekeyed
  std::int64_t files = 0;
  bool is_bit_identical = false;  ///< all logits of all files
};

struct RunLog {
  std::string experiment, scale;
  std::int64_t seed = 0;
  std::string command;      ///< of the training, with the default folders
  std::string fingerprint;  ///< of everything that decides what is computed
  std::string version;      ///< of byteformer
  std::string machine;
  std::optional<TrainingLog> training;  ///< none where a model was rekeyed
  std::optional<RekeyingLog> rekeying;
  std::vector<TestResult> tests;
};

/// At most `most` points of `history`, evenly spread; first and last stay.
std::vector<plan::ValidationResult> thinned(const std::vector<plan::ValidationResult>& history, std::size_t most = 24);

std::string to_json(const RunLog& log);

/// \throws Error kInvalidFormat naming `source` and the key.
RunLog parse_run_log(std::string_view json, const std::string& source);

/// The log of `run`; nothing where there is none.
/// \throws Error as parse_run_log() and base::read_text_file().
std::optional<RunLog> find_log(const Run& run, const Places& places);

/// \throws Error kIo, kPermissionDenied
void write_log(const Run& run, const RunLog& log, const Places& places);

}  // namespace byteformer::experiments
