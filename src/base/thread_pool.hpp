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

#include "base/process_local.hpp"

namespace byteformer::base {

/// Runs loops on a fixed number of threads, the caller among them. Allocates nothing after construction.
///
/// Any number of threads may call `parallel_for` at once: the pool serves one of them, the others run their loop alone
/// (results do not depend on who runs an iteration). Workers that have nothing to do spin for some microseconds and
/// then sleep. A child of fork() starts workers of its own at its first loop; it runs its loops alone where the system
/// gives it none.
class ThreadPool {
 public:
  /// `num_threads` counts the caller; 0 means one per processor.
  /// \throws std::system_error where the system does not give so many.
  explicit ThreadPool(int num_threads);

  int num_threads() const noexcept { return num_threads_; }

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

  /// The threads besides the caller, and what they share. In the child of a fork there are none of them.
  class Crew {
   public:
    explicit Crew(int num_threads);
    ~Crew() { stop(); }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    /// Runs `job` together with the caller. \returns false if another loop is being served: nothing was done.
    bool serve(Job& job) noexcept;

   private:
    void stop() noexcept;
    void work(int worker);

    std::vector<std::thread> workers_;
    std::mutex serving_;  // held by the caller whose loop is served
    std::mutex mutex_;    // guards job_ and stopping_, and joining a job
    std::condition_variable wake_;
    std::condition_variable left_;
    Job* job_ = nullptr;
    bool stopping_ = false;
    std::atomic<std::size_t> epoch_{0};  // counts jobs, so that idle workers can spin without the mutex
    std::atomic<int> inside_{0};         // workers that hold a pointer to the current job
  };

  void run(std::size_t count, Call call, const void* context);
  Crew* find_crew() const noexcept;
  static void drain(Job& job, int worker) noexcept;

  int num_threads_;
  ProcessLocal<Crew, int> crew_;
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
