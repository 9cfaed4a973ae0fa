// A small pool of threads that share the iterations of one loop at a time, and what carries exceptions out of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace byteformer::base {

/// Runs loops on a fixed number of threads, the caller among them. Allocates nothing after construction.
///
/// Any number of threads may call `parallel_for` at once: the pool serves one of them, the others run their loop alone
/// (results do not depend on who runs an iteration). Workers that have nothing to do spin for some microseconds and
/// then sleep.
class ThreadPool {
 public:
  /// `num_threads` counts the caller; 0 means one per processor.
  /// \throws std::system_error where the system does not give so many.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls `body(i, worker)` once for each i in [0, count) and returns when all are done. Calls start in ascending
  /// order of i, so one may wait until earlier ones have ended. `worker` is in [0, num_threads()) and no two calls that
  /// run at the same time share it. `body` must not throw.
  template <typename Body>
  void parallel_for(std::size_t count, const Body& body) {
    static_assert(std::is_nothrow_invocable_v<const Body&, std::size_t, int>, "declare the body noexcept");
    run(
        count,
        [](const void* context, std::size_t i, int worker) noexcept {
          (*static_cast<const Body*>(context))(i, worker);
        },
        &body);
  }

 private:
  using Call = void (*)(const void* context, std::size_t i, int worker) noexcept;
  struct Job {
    Call call;
    const void* context;
    std::size_t count;
    std::atomic<std::size_t> next{0};
  };

  void stop() noexcept;
  void run(std::size_t count, Call call, const void* context);
  void work(int worker);
  static void drain(Job& job, int worker) noexcept;

  std::vector<std::thread> workers_;
  std::mutex serving_;  // held by the caller whose loop the pool runs
  std::mutex mutex_;    // guards job_ and stopping_, and joining a job
  std::condition_variable wake_;
  std::condition_variable left_;
  Job* job_ = nullptr;
  bool stopping_ = false;
  std::atomic<std::size_t> epoch_{0};  // counts jobs, so that idle workers can spin without the mutex
  std::atomic<int> inside_{0};         // workers that hold a pointer to the current job
};

/// Keeps the first exception of a ThreadPool's loop. Any number of threads may call guard().
class FirstException {
 public:
  template <typename Action>
  void guard(const Action& action) noexcept {
    try {
      action();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!exception_) exception_ = std::current_exception();
    }
  }

  /// Throws what was kept, if anything was; called when the loop is over.
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr exception_;
};

}  // namespace byteformer::base
