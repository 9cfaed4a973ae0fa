// One job at a time, claimed iteration by iteration.
#include "base/thread_pool.hpp"

#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/processors.hpp"

namespace byteformer::base {
namespace {

// Longer than another thread's last iteration or the gap between two layers. Waking a thread that sleeps takes 30 to
// 200 microseconds, most in a virtual machine.
constexpr std::chrono::microseconds kSpinTime{500};
constexpr int kPausesPerLook = 32;  // at the clock

void pause() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Condition>
bool spin_until(const Condition& condition) noexcept {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int num_threads) : num_threads_(or_processors(num_threads)), crew_(num_threads_) {}

void ThreadPool::drain(Job& job, int worker) noexcept {
  for (;;) {
    const std::size_t i = job.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= job.count) return;
    job.call(job.context, i, worker);
  }
}

void ThreadPool::run(std::size_t count, Call call, const void* context) {
  Job job{call, context, count};
  Crew* crew = count < 2 || num_threads_ < 2 ? nullptr : find_crew();
  if (crew == nullptr || !crew->serve(job)) drain(job, 0);
}

ThreadPool::Crew* ThreadPool::find_crew() const noexcept {
  try {
    return &crew_.get();
  } catch (...) {  // the child of a fork, which gets no threads
    return nullptr;
  }
}

ThreadPool::Crew::Crew(int num_threads) {
  workers_.reserve(static_cast<std::size_t>(num_threads - 1));
  try {
    for (int i = 1; i < num_threads; ++i) workers_.emplace_back([this, i] { work(i); });
  } catch (...) {
    stop();  // those that were started
    throw;
  }
}

void ThreadPool::Crew::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    epoch_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::Crew::serve(Job& job) noexcept {
  const std::unique_lock serving(serving_, std::try_to_lock);
  if (!serving) return false;
  {
    const std::lock_guard lock(mutex_);
    job_ = &job;
    epoch_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  drain(job, 0);
  // No worker can join once job_ is null; those inside still hold the job, which lives on the caller's stack.
  std::unique_lock lock(mutex_);
  job_ = nullptr;
  lock.unlock();
  if (spin_until([this] { return inside_.load(std::memory_order_acquire) == 0; })) return true;
  lock.lock();
  left_.wait(lock, [this] { return inside_.load(std::memory_order_acquire) == 0; });
  return true;
}

void ThreadPool::Crew::work(int worker) {
  std::size_t seen = 0;
  for (;;) {
    spin_until([&] { return epoch_.load(std::memory_order_acquire) != seen; });
    Job* job = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || epoch_.load(std::memory_order_relaxed) != seen; });
      if (stopping_) return;
      seen = epoch_.load(std::memory_order_relaxed);
      job = job_;
      if (job == nullptr) continue;  // the caller was done before this worker awoke
      inside_.fetch_add(1, std::memory_order_relaxed);
    }
    drain(*job, worker);
    if (inside_.fetch_sub(1, std::memory_order_release) == 1) {
      const std::lock_guard lock(mutex_);
      left_.notify_one();
    }
  }
}

}  // namespace byteformer::base
