// Threads and locks that a child of fork() gets anew.
#pragma once

#include <atomic>
#include <memory>
#include <tuple>

namespace byteformer::base {

/// How often this process and those it descends from forked since the first call: it tells a child from its parent, at
/// the cost of reading a variable. Thread-safe.
unsigned fork_generation() noexcept;

/// A T of this process, made of `Args`. A child of fork() has none of its parent's threads, and its locks as they were
/// at that moment, perhaps held by a thread that is gone: so it makes another T at its first call, and leaves the
/// parent's as it lies.
template <typename T, typename... Args>
class ProcessLocal {
 public:
  explicit ProcessLocal(const Args&... args) : args_(args...), newest_(new Owned{fork_generation(), nullptr, args_}) {}
  ~ProcessLocal() {
    Owned* owned = newest_.load(std::memory_order_acquire);
    const bool is_own = owned->generation == fork_generation();
    if (Owned* parents = is_own ? owned->older : owned) leave(parents);
    if (is_own) delete owned;
  }
  ProcessLocal(const ProcessLocal&) = delete;
  ProcessLocal& operator=(const ProcessLocal&) = delete;

  /// Thread-safe. \throws what making a T in the child of a fork throws.
  T& get() const {
    Owned* owned = newest_.load(std::memory_order_acquire);
    return owned->generation == fork_generation() ? owned->value : renewed(owned);
  }

 private:
  struct Owned {
    Owned(unsigned now, Owned* parents, const std::tuple<Args...>& args)
        : generation(now), older(parents), value(std::make_from_tuple<T>(args)) {}

    const unsigned generation;
    Owned* const older;     // the parent's
    Owned* next = nullptr;  // among those that were left
    T value;
  };

  /// A parent's T is not destroyed in the child: it might wait for threads that are gone. It stays where whoever looks
  /// for leaks finds it.
  static void leave(Owned* parents) noexcept {
    static std::atomic<Owned*> left{nullptr};
    parents->next = left.load(std::memory_order_relaxed);
    while (!left.compare_exchange_weak(parents->next, parents, std::memory_order_release)) {
    }
  }

  T& renewed(Owned* older) const {
    auto mine = std::make_unique<Owned>(fork_generation(), older, args_);
    if (newest_.compare_exchange_strong(older, mine.get(), std::memory_order_acq_rel)) return mine.release()->value;
    return older->value;  // another thread was first
  }

  std::tuple<Args...> args_;
  mutable std::atomic<Owned*> newest_;
};

}  // namespace byteformer::base
