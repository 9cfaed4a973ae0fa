// `byteformer bench`: how fast a model is on this machine, and how much of the machine it uses.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "base/file_io.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "data/loader.hpp"
#include "format/model_folder.hpp"
#include "model/cost.hpp"
#include "output/json.hpp"
#include "output/text.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Files are prepared as the model expects them, as `byteformer classify` does, before anything is measured. They are
classified from memory, in turn, round and round. "GFLOP/s" counts what is really computed
(`byteformer inspect`, "as run"); the peak that it is compared with is measured in the same run by multiply-adds
in registers on as many threads.

Examples:
  byteformer bench --model models/cifar10
  byteformer bench --model models/cifar10 --threads 1 --bytes 1024
  byteformer bench --model models/cifar10 --batch-size 32 --seconds 10 photos/*.jpg)";

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 32;

struct Options {
  ModelOptions model;
  std::optional<std::int64_t> num_bytes, num_iterations, num_seconds, batch_size;
  std::vector<std::string> paths;
  bool json = false;
};

using Files = std::vector<std::vector<std::uint8_t>>;

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
  double percentile(double fraction) const {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(latencies.size())));
    return latencies[std::clamp<std::size_t>(rank, 1, latencies.size()) - 1];
  }
  double total_seconds() const { return std::accumulate(latencies.begin(), latencies.end(), 0.0); }
  double flops_per_second() const { return 2 * num_multiply_adds / total_seconds(); }
};

/// What the numbers were measured on.
struct BenchSetting {
  std::string model, input;
  const Classifier& classifier;
  std::size_t batch_size = 1;
};

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

/// Classifies `files` in turn, round and round, after a few calls that are not counted. `multiply_adds` has one number
/// per file. Stops early, with what there is, at Ctrl-C. \throws Error kTooManyTokens or kEmptyFile where the model
/// cannot take a file.
Measurement measure(const Classifier& classifier, const Files& files, const std::vector<std::int64_t>& multiply_adds,
                    const BenchPlan& plan) {
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
      base::printable(setting.model), format::to_string(setting.classifier.masking()), setting.input,
      counted(setting.classifier.num_threads(), "thread"), setting.classifier.kernels_name(),
      to_string(setting.classifier.precision()), counted(m.latencies.size(), "call"), batch,
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
      .field("masking", format::to_string(setting.classifier.masking()))
      .field("input", setting.input);
  json.field("kernels", setting.classifier.kernels_name())
      .field("precision", to_string(setting.classifier.precision()))
      .field("threads", setting.classifier.num_threads())
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

std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::mt19937_64 random(1);  // the same bytes in every run
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  base::InputFile file(path);
  if (file.size() > static_cast<std::uint64_t>(kMaxBytes))
    throw UsageError(fmt::format("{}: files of up to {} are measured, and this one has {}", base::printable(path),
                                 memory_size(static_cast<std::uint64_t>(kMaxBytes)), memory_size(file.size())));
  if (file.size() == 0) throw Error(ErrorCode::kEmptyFile, path, "is empty");
  std::vector<std::uint8_t> bytes(file.size());
  file.read(bytes);
  return bytes;
}

Files read_files(const Options& options, const prepare::Preprocess& preprocess) {
  Files files;
  for (const std::string& path : options.paths)
    files.push_back(preprocess.takes_files_as_they_are()
                        ? read_file(path)
                        : data::load_prepared({.path = path, .start_s = {}}, preprocess).bytes);
  return files;
}

/// How given files are to be prepared: random bytes need no key.
prepare::Preprocess preprocess_of(const Options& options) {
  return options.paths.empty() && !options.model.as_is ? prepare::read_preprocess(options.model.dir.value())
                                                       : options.model.preprocess();
}

std::string describe(const Options& options, const Files& files) {
  std::size_t num_bytes = 0;
  for (const auto& file : files) num_bytes += file.size();
  if (options.paths.empty()) return counted(num_bytes, "random byte");
  const std::string what = files.size() == 1 ? base::printable(options.paths.front()) : counted(files.size(), "file");
  return what + ", " + counted(num_bytes, "byte");
}

std::vector<std::int64_t> costs(const format::ModelConfig& config, const Files& files) {
  std::vector<std::int64_t> multiply_adds;
  for (const auto& file : files)
    multiply_adds.push_back(model::file_cost(config, static_cast<std::int64_t>(file.size())).total_as_run);
  return multiply_adds;
}

int bench(const Options& options, Console& console) {
  const Classifier classifier = options.model.load();
  format::ModelConfig config = format::read_config(options.model.dir.value());
  config.masking = classifier.masking();
  BenchPlan plan;
  plan.num_iterations = options.num_iterations.value_or(0);
  plan.min_seconds = static_cast<double>(options.num_seconds.value_or(3));
  plan.batch_size = static_cast<std::size_t>(options.batch_size.value_or(1));
  const prepare::Preprocess preprocess = preprocess_of(options);
  watch_for_interrupt();
  try {
    const Files files = options.paths.empty() ? Files{random_bytes(static_cast<std::size_t>(
                                                    options.num_bytes.value_or(typical_num_bytes(config, preprocess))))}
                                              : read_files(options, preprocess);
    const BenchSetting setting{*options.model.dir, describe(options, files), classifier, plan.batch_size};
    const Measurement measurement = measure(classifier, files, costs(config, files), plan);
    console.out << (options.json ? bench_json(setting, measurement) : bench_text(setting, measurement));
  } catch (const Error& error) {  // of a file; the model is loaded
    complain(console, error);
    return kExitInputFailed;
  }
  return interrupted() ? kExitInterrupted : kExitOk;
}

}  // namespace

Action add_bench(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model);
  const Option& files = add_paths(line, "FILE", options->paths, "Files to classify (default: random bytes)");
  add_number(line, kBytesOption, options->num_bytes, {1, kMaxBytes},
             "Length of the random file (default: of one that is prepared for the model, else 150668, or what fits)")
      .excludes(files);
  add_form_options(line, options->model);
  const Option& iterations =
      add_number(line, "-n,--iterations", options->num_iterations, {1, 10'000'000}, "Number of calls to measure");
  add_number(line, "--seconds", options->num_seconds, {1, 86'400}, "How long to measure (default: 3)")
      .excludes(iterations);
  add_setting(line, &plan::Request::batch_size, options->batch_size, "Files in one call (default: 1)");
  add_setting(line, &plan::Request::json, options->json, "Write JSON");
  line.details = kDetails;
  return [options](Console& console) { return bench(*options, console); };
}

}  // namespace byteformer::cli
