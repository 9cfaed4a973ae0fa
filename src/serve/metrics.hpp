// What the server has done, counted: for Prometheus, and as the statistics of a model in the protocol's words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace byteformer::serve {

/// How a request ended.
enum class Outcome { kOk, kClientError, kOverloaded, kServerError, kClientGone };
std::string_view to_string(Outcome outcome) noexcept;  ///< "ok", "client_error", ...

/// Counts of values up to bounds that double, from `kFirst` on.
struct Histogram {
  static constexpr std::size_t kBuckets = 18;
  std::array<std::uint64_t, kBuckets> counts{};  ///< of their own, not cumulative; larger values are in `count` alone
  std::uint64_t count = 0;
  double sum = 0;

  /// \param first  the lowest bound
  void add(double value, double first) noexcept;
};

/// What was done so many times, and how long that took altogether.
struct Spent {
  std::uint64_t count = 0;
  double seconds = 0;

  void add(double more_seconds) noexcept {
    ++count;
    seconds += more_seconds;
  }
};

/// Of one file on its way through the queue.
struct FileTimes {
  double queue_s = 0;    ///< it waited
  double prepare_s = 0;  ///< its batch was prepared
  double compute_s = 0;  ///< its batch ran, preparation included
};

/// Of one request: the times of that of its files which was done last, and the writing of its answer.
struct RequestTimes : FileTimes {
  double write_s = 0;

  /// Adds those of files that ran after the ones before.
  void add(const FileTimes& times) noexcept {
    queue_s += times.queue_s;
    prepare_s += times.prepare_s;
    compute_s += times.compute_s;
  }
};

/// Of one version of a model.
struct ModelCounts {
  std::array<std::uint64_t, 5> requests{};  ///< by outcome
  std::uint64_t files = 0, batches = 0, bytes = 0;  ///< files that were classified, and batches of such
  Histogram queue_s, compute_s, batch_files;        ///< of all files; of batches
  RequestTimes answered;                            ///< of all answered requests together
  std::map<std::size_t, std::pair<Spent, Spent>> by_batch;  ///< preparing and running batches of so many files
  double request_s = 0, failed_s = 0;
  std::int64_t last_ms = 0;  ///< since 1970, of the last inference
};

/// Gauges that others keep.
struct Gauges {
  std::uint64_t connections = 0, waiting_files = 0, held_bytes = 0;
};

/// Thread-safe.
class Metrics {
 public:
  using Key = std::pair<std::string, std::string>;  ///< name and version of a model

  /// \param key  empty where a request was about no model
  void count_request(const Key& key, Outcome outcome, double request_s, const RequestTimes& times = {});
  /// \param num_bytes  that the model read; nothing where the file could not be classified
  void count_file(const Key& key, std::optional<std::uint64_t> num_bytes, const FileTimes& times);
  /// \param num_files  that were classified
  void count_batch(const Key& key, std::size_t num_files, double prepare_s, double run_s);
  void count_lost_log_line();

  ModelCounts of(const Key& key) const;

  /// All of it in Prometheus' text format, version 0.0.4.
  std::string text(const std::vector<Key>& models, const Gauges& gauges) const;

 private:
  mutable std::mutex mutex_;
  std::map<Key, ModelCounts> models_;
  std::uint64_t lost_log_lines_ = 0;
};

}  // namespace byteformer::serve
