// What `byteformer bench` measures, and how it is written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "system/peak_flops.hpp"

namespace byteformer::cli {

/// How long to measure: `num_iterations` calls, or (0) until `min_seconds` have passed.
struct BenchPlan {
  std::int64_t num_iterations = 0;
  double min_seconds = 3;
  std::size_t batch_size = 1;  ///< files in a call
};

struct Measurement {
  std::vector<double> latencies;  ///< seconds of each call, ascending
  std::uint64_t num_files = 0;
  std::uint64_t num_bytes = 0;
  double num_multiply_adds = 0;
  std::uint64_t peak_memory_bytes = 0;
  PeakFlops peak;

  /// The smallest latency that at least `fraction` of the calls do not exceed.
  double percentile(double fraction) const;
  double total_seconds() const;
  double flops_per_second() const { return 2 * num_multiply_adds / total_seconds(); }
};

/// What the numbers were measured on.
struct BenchSetting {
  std::string model;
  std::string input;
  std::string kernels;
  std::string masking;
  std::string precision;
  int num_threads = 0;
  std::size_t batch_size = 1;
};

/// Classifies `files` in turn, round and round, after a few calls that are not counted. `multiply_adds` has one number
/// a file. Stops early, with what there is, at Ctrl-C. \throws Error kTooManyTokens or kEmptyFile where the model
/// cannot take a file.
Measurement measure(const Classifier& classifier, const std::vector<std::vector<std::uint8_t>>& files,
                    const std::vector<std::int64_t>& multiply_adds, const BenchPlan& plan);

std::string bench_text(const BenchSetting& setting, const Measurement& measurement);
std::string bench_json(const BenchSetting& setting, const Measurement& measurement);

}  // namespace byteformer::cli
