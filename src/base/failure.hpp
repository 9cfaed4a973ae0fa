// Carries an exception out of a loop whose body must not throw.
#pragma once

#include <exception>
#include <mutex>

namespace byteformer::base {

/// Keeps the first exception of a ThreadPool's loop. Any number of threads may call guard().
class Failure {
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
