// Counts behind a mutex, and their text.
#include "serve/metrics.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/text.hpp"
#include "byteformer/version.hpp"

namespace byteformer::serve {
namespace {

using base::joined;

constexpr double kFirstSeconds = 0.0005;
constexpr double kFirstFiles = 1;
constexpr std::array kOutcomes = {Outcome::kOk, Outcome::kClientError, Outcome::kOverloaded, Outcome::kServerError,
                                  Outcome::kClientGone};

/// Text of one metric after another.
class Page {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += joined("# HELP ", name, ' ', help, "\n# TYPE ", name, ' ', type, '\n');
  }
  template <typename Number>
  void line(std::string_view name, const std::string& labels, Number value) {
    text_ += labels.empty() ? joined(name, ' ', value, '\n') : joined(name, '{', labels, "} ", value, '\n');
  }
  void histogram(const std::string& name, const std::string& labels, const Histogram& histogram, double bound) {
    std::uint64_t count = 0;
    for (const std::uint64_t of_bucket : histogram.counts) {
      count += of_bucket;
      line(name + "_bucket", joined(labels, ",le=\"", bound, '"'), count);
      bound *= 2;
    }
    line(name + "_bucket", labels + ",le=\"+Inf\"", histogram.count);
    line(name + "_sum", labels, histogram.sum);
    line(name + "_count", labels, histogram.count);
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

/// Names have no character that needs an escape. \see parse_model_source()
std::string labels_of(const Metrics::Key& key) {
  return joined("model=\"", key.first, "\",version=\"", key.second, '"');
}

/// Nothing where no descriptor is free to look.
std::optional<std::uint64_t> resident_bytes() {
  std::uint64_t size = 0, resident = 0;
  if (!(std::ifstream("/proc/self/statm") >> size >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t microseconds(double seconds) { return static_cast<std::uint64_t>(seconds * 1e6); }

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kClientError: return "client_error";
    case Outcome::kOverloaded: return "overloaded";
    case Outcome::kServerError: return "server_error";
    case Outcome::kClientGone: return "client_gone";
  }
  return {};
}

void Histogram::add(double value, double first) noexcept {
  ++count;
  sum += value;
  double bound = first;
  for (std::uint64_t& of_bucket : counts) {
    if (value <= bound) {
      ++of_bucket;
      return;
    }
    bound *= 2;
  }
}

void Metrics::count_request(const Key& key, Outcome outcome, double request_s, const RequestTimes& times) {
  const std::lock_guard lock(mutex_);
  ModelCounts& counts = models_[key];
  ++counts.requests[static_cast<std::size_t>(outcome)];
  (outcome == Outcome::kOk ? counts.request_s : counts.failed_s) += request_s;
  if (outcome != Outcome::kOk) return;
  counts.answered.add(times);
  counts.answered.write_s += times.write_s;
}

void Metrics::count_file(const Key& key, std::optional<std::uint64_t> num_bytes, const FileTimes& times) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::lock_guard lock(mutex_);
  ModelCounts& counts = models_[key];
  if (num_bytes) {
    ++counts.files;
    counts.bytes += *num_bytes;
  }
  counts.queue_s.add(times.queue_s, kFirstSeconds);
  counts.compute_s.add(times.compute_s, kFirstSeconds);
  counts.last_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

void Metrics::count_batch(const Key& key, std::size_t num_files, double prepare_s, double run_s) {
  if (num_files == 0) return;
  const std::lock_guard lock(mutex_);
  ModelCounts& counts = models_[key];
  ++counts.batches;
  counts.batch_files.add(static_cast<double>(num_files), kFirstFiles);
  auto& [prepare, run] = counts.by_batch[num_files];
  prepare.add(prepare_s);
  run.add(run_s);
}

void Metrics::count_lost_log_line() {
  const std::lock_guard lock(mutex_);
  ++lost_log_lines_;
}

ModelCounts Metrics::of(const Key& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = models_.find(key);
  return found == models_.end() ? ModelCounts{} : found->second;
}

std::string Metrics::text(const std::vector<Key>& models, const Gauges& gauges) const {
  Page page;
  page.head("byteformer_build_info", "gauge", "The version of the program.");
  page.line("byteformer_build_info", joined("version=\"", version(), '"'), 1);
  page.head("byteformer_model_info", "gauge", "Models that are loaded.");
  for (const Key& key : models) page.line("byteformer_model_info", labels_of(key), 1);
  page.head("byteformer_connections", "gauge", "Connections that are open.");
  page.line("byteformer_connections", "", gauges.connections);
  page.head("byteformer_waiting_files", "gauge", "Files that wait for a model.");
  page.line("byteformer_waiting_files", "", gauges.waiting_files);
  page.head("byteformer_held_bytes", "gauge", "Bytes of requests that are held.");
  page.line("byteformer_held_bytes", "", gauges.held_bytes);
  if (const auto resident = resident_bytes()) {
    page.head("process_resident_memory_bytes", "gauge", "Resident memory.");
    page.line("process_resident_memory_bytes", "", *resident);
  }
  const std::lock_guard lock(mutex_);
  page.head("byteformer_lost_log_lines_total", "counter", "Lines of the log that could not be written.");
  page.line("byteformer_lost_log_lines_total", "", lost_log_lines_);
  page.head("byteformer_requests_total", "counter", "Requests by model and outcome; those about no model have none.");
  for (const auto& [key, counts] : models_)
    for (const Outcome outcome : kOutcomes)
      page.line("byteformer_requests_total", joined(labels_of(key), ",outcome=\"", to_string(outcome), '"'),
                counts.requests[static_cast<std::size_t>(outcome)]);
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, const auto& write) {
    page.head(name, type, help);
    for (const auto& [key, counts] : models_)
      if (!key.first.empty()) write(std::string(name), labels_of(key), counts);
  };
  const auto counter = [&](std::string_view name, std::string_view help, const auto& value_of) {
    each(name, "counter", help, [&](const std::string& full, const std::string& labels, const ModelCounts& counts) {
      page.line(full, labels, value_of(counts));
    });
  };
  const auto histogram = [&](std::string_view name, std::string_view help, Histogram ModelCounts::*member,
                             double bound) {
    each(name, "histogram", help, [&](const std::string& full, const std::string& labels, const ModelCounts& counts) {
      page.histogram(full, labels, counts.*member, bound);
    });
  };
  histogram("byteformer_queue_seconds", "Time a file waited.", &ModelCounts::queue_s, kFirstSeconds);
  histogram("byteformer_compute_seconds", "Time a file's batch ran.", &ModelCounts::compute_s, kFirstSeconds);
  histogram("byteformer_batch_files", "Files that ran together.", &ModelCounts::batch_files, kFirstFiles);
  counter("byteformer_read_bytes_total", "Bytes that models read.", [](const ModelCounts& c) { return c.bytes; });
  // The names that dashboards of inference servers know.
  counter("nv_inference_request_success", "Requests answered.", [](const ModelCounts& c) { return c.requests[0]; });
  counter("nv_inference_request_failure", "Requests not answered.",
          [](const ModelCounts& c) { return c.requests[1] + c.requests[2] + c.requests[3] + c.requests[4]; });
  counter("nv_inference_count", "Files classified.", [](const ModelCounts& c) { return c.files; });
  counter("nv_inference_exec_count", "Batches run.", [](const ModelCounts& c) { return c.batches; });
  counter("nv_inference_request_duration_us", "Time of answered requests.",
          [](const ModelCounts& c) { return microseconds(c.request_s); });
  counter("nv_inference_queue_duration_us", "Time answered requests waited.",
          [](const ModelCounts& c) { return microseconds(c.answered.queue_s); });
  counter("nv_inference_compute_input_duration_us", "Time batches of answered requests were prepared.",
          [](const ModelCounts& c) { return microseconds(c.answered.prepare_s); });
  counter("nv_inference_compute_infer_duration_us", "Time batches of answered requests ran once they were prepared.",
          [](const ModelCounts& c) { return microseconds(c.answered.compute_s - c.answered.prepare_s); });
  counter("nv_inference_compute_output_duration_us", "Time answers were written.",
          [](const ModelCounts& c) { return microseconds(c.answered.write_s); });
  return std::move(page).text();
}

}  // namespace byteformer::serve
