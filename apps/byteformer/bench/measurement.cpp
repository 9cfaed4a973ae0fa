// Runs the measurement and writes its numbers.
#include "bench/measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/text.hpp"
#include "common/interrupt.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpCalls = 2;
constexpr std::int64_t kMaxCalls = 10'000'000;  // each keeps its latency

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void classify_or_throw(const Classifier& classifier, const std::vector<Bytes>& batch) {
  if (batch.size() == 1) {
    classifier.classify(batch.front());
    return;
  }
  for (const FileResult& result : classifier.classify_batch(batch))
    if (const Error* error = std::get_if<Error>(&result)) throw *error;
}

}  // namespace

double Measurement::percentile(double fraction) const {
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(latencies.size())));
  return latencies[std::clamp<std::size_t>(rank, 1, latencies.size()) - 1];
}

double Measurement::total_seconds() const { return std::accumulate(latencies.begin(), latencies.end(), 0.0); }

Measurement measure(const Classifier& classifier, const std::vector<std::vector<std::uint8_t>>& files,
                    const std::vector<std::int64_t>& multiply_adds, const BenchPlan& plan) {
  Measurement measurement;
  std::size_t next_file = 0;
  const auto call = [&](bool is_counted) {
    std::vector<Bytes> batch;
    double batch_multiply_adds = 0;
    std::uint64_t batch_bytes = 0;
    for (std::size_t i = 0; i < plan.batch_size; ++i, next_file = (next_file + 1) % files.size()) {
      batch.emplace_back(files[next_file]);
      batch_multiply_adds += static_cast<double>(multiply_adds[next_file]);
      batch_bytes += files[next_file].size();
    }
    const Clock::time_point start = Clock::now();
    classify_or_throw(classifier, batch);
    if (!is_counted) return;
    measurement.latencies.push_back(seconds_since(start));
    measurement.num_files += batch.size();
    measurement.num_bytes += batch_bytes;
    measurement.num_multiply_adds += batch_multiply_adds;
  };
  for (int i = 0; i < kWarmUpCalls; ++i) call(false);
  const std::int64_t max_calls = plan.num_iterations > 0 ? plan.num_iterations : kMaxCalls;
  const Clock::time_point start = Clock::now();
  do {
    call(true);
  } while (!interrupted() && static_cast<std::int64_t>(measurement.latencies.size()) < max_calls &&
           (plan.num_iterations > 0 || seconds_since(start) < plan.min_seconds));
  std::sort(measurement.latencies.begin(), measurement.latencies.end());
  measurement.peak_memory_bytes = peak_resident_bytes();
  measurement.peak = measure_peak_flops(classifier.num_threads());
  return measurement;
}

std::string bench_text(const BenchSetting& setting, const Measurement& m) {
  const double seconds = m.total_seconds();
  const std::string batch = setting.batch_size > 1 ? fmt::format(" of {} files", setting.batch_size) : "";
  return fmt::format(
      "model       {}, masking {}\n"
      "input       {}\n"
      "running on  {}, {} kernels, {}\n"
      "latency     {}{}: min {}, median {}, 90 % {}, 99 % {}, max {}\n"
      "throughput  {:.1f} files/s, {:.3f} MB/s\n"
      "compute     {:.1f} GFLOP/s, {:.0f} % of the {:.1f} GFLOP/s that float32 multiply-adds reach here ({})\n"
      "memory      {} at its peak\n",
      base::printable(setting.model), setting.masking, setting.input, counted(setting.num_threads, "thread"),
      setting.kernels, setting.precision, counted(static_cast<std::int64_t>(m.latencies.size()), "call"), batch,
      duration(m.latencies.front()), duration(m.percentile(0.5)), duration(m.percentile(0.9)),
      duration(m.percentile(0.99)), duration(m.latencies.back()), static_cast<double>(m.num_files) / seconds,
      static_cast<double>(m.num_bytes) / seconds / 1e6, m.flops_per_second() / 1e9,
      100 * m.flops_per_second() / m.peak.flops_per_second, m.peak.flops_per_second / 1e9, m.peak.vectors,
      memory_size(m.peak_memory_bytes));
}

std::string bench_json(const BenchSetting& setting, const Measurement& m) {
  const double seconds = m.total_seconds();
  JsonWriter json;
  json.begin_object()
      .field("model", base::escape_bytes(setting.model))
      .field("masking", setting.masking)
      .field("input", setting.input);
  json.field("kernels", setting.kernels)
      .field("precision", setting.precision)
      .field("threads", setting.num_threads)
      .field("batch_size", setting.batch_size);
  json.field("calls", m.latencies.size()).field("files", m.num_files).field("bytes", m.num_bytes);
  json.key("latency_seconds").begin_object().field("min", m.latencies.front()).field("median", m.percentile(0.5));
  json.field("p90", m.percentile(0.9)).field("p99", m.percentile(0.99)).field("max", m.latencies.back());
  json.field("mean", seconds / static_cast<double>(m.latencies.size())).end_object();
  json.field("files_per_second", static_cast<double>(m.num_files) / seconds);
  json.field("bytes_per_second", static_cast<double>(m.num_bytes) / seconds);
  json.field("flops_per_second", m.flops_per_second()).field("peak_flops_per_second", m.peak.flops_per_second);
  json.field("share_of_peak", m.flops_per_second() / m.peak.flops_per_second).field("peak_vectors", m.peak.vectors);
  return json.field("peak_memory_bytes", m.peak_memory_bytes).end_object().text() + "\n";
}

}  // namespace byteformer::cli
