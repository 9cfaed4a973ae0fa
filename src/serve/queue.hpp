// Files that wait for a model: bounded, fair between clients, and run together where many wait.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "byteformer/classifier.hpp"
#include "prepare/preprocess.hpp"
#include "serve/metrics.hpp"
#include "serve/models.hpp"

namespace byteformer::serve {

using Clock = std::chrono::steady_clock;  // no clock that jumps

inline Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

inline double in_seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

/// One file on its way to an answer.
struct Job {
  std::shared_ptr<const Model> model;
  const prepare::Preprocess* preprocess = nullptr;  ///< of `model`; null: the bytes go to the model as they are
  std::vector<std::uint8_t> file;
  std::string source;  ///< in messages
  std::string client;
  Clock::time_point deadline;

  // What comes of it: set by the queue before it says that the job is done.
  std::optional<FileResult> result = {};
  bool was_prepared = false;
  FileTimes times = {};  ///< `prepare_s` by who runs it

 private:
  friend class Queue;
  enum class State { kNew, kWaiting, kRunning, kDone, kDropped };
  State state_ = State::kNew;
  Clock::time_point since_;
  std::condition_variable changed_;
};

/// Bytes that requests may hold at once. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : limit_(limit) {}

  /// A share that grows, and is given back at the end.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    ~Share() { budget_.used_ -= held_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// \throws Refusal 503 where others hold too much; 413 where this alone would be more than all may hold
    void grow(std::uint64_t num_bytes);
    void shrink(std::uint64_t num_bytes) noexcept;

   private:
    ByteBudget& budget_;
    std::uint64_t held_ = 0;
  };

  std::uint64_t used() const noexcept { return used_; }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// Requests that each client may have at once. Thread-safe.
class ClientLimit {
 public:
  explicit ClientLimit(std::size_t limit) : limit_(limit) {}

  /// One request's place, which is given back at the end.
  class Share {
   public:
    /// \throws Refusal 503 where the client has as many requests as it may.
    Share(ClientLimit& limit, const std::string& client);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    ClientLimit& limit_;
    std::map<std::string, std::size_t>::iterator place_;
  };

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::map<std::string, std::size_t> requests_;
};

class Queue {
 public:
  using Jobs = std::span<const std::shared_ptr<Job>>;
  /// Sets `result` of each job. All are of one model. Called by `num_workers` threads at once.
  using Run = std::function<void(Jobs)>;

  /// \param max_waiting  jobs that wait at most
  /// \param max_batch  jobs that run together at most
  /// \param processors  where they are as many as workers, each worker stays on one of them; else it goes where it likes
  Queue(std::size_t max_waiting, std::size_t max_batch, std::size_t num_workers, Run run,
        const std::vector<int>& processors = {});
  ~Queue();  ///< finishes what waits
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  /// All of `jobs` or none.
  /// \throws Refusal 503 where too many wait already or a deadline has passed; 413 where these alone are too many
  void submit(Jobs jobs);

  /// Returns when all of `jobs` are done. Those that still wait are dropped when their deadline has passed or
  /// `is_client_gone` (asked ten times a second) says so.
  /// \throws Refusal 503 for the deadline; ClientGone
  void wait(Jobs jobs, const std::function<bool()>& is_client_gone);

  std::size_t num_waiting() const;

 private:
  void work();
  void stop();
  std::vector<std::shared_ptr<Job>> take_batch();
  void drop(Jobs jobs);

  const std::size_t max_waiting_, max_batch_, num_workers_;
  const Run run_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::string, std::deque<std::shared_ptr<Job>>, std::less<>> waiting_;  ///< by client
  std::deque<std::string> turns_;                                                 ///< clients that have jobs, in turn
  std::size_t num_waiting_ = 0;
  bool is_stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace byteformer::serve
