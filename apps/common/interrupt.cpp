// A handler that sets a flag, and ends the process at the second signal.
#include "common/interrupt.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

namespace byteformer::cli {
namespace {

constexpr std::int64_t kSameRequestNs = 500'000'000;

/// When the first signal came, in nanoseconds of the monotonic clock; 0 until then.
std::atomic<std::int64_t> first_signal_ns{0};
static_assert(decltype(first_signal_ns)::is_always_lock_free, "a signal handler may not wait for a lock");

std::int64_t monotonic_ns() noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void on_signal(int signal) {
  const std::int64_t now = monotonic_ns();
  std::int64_t first = 0;
  if (first_signal_ns.compare_exchange_strong(first, now) || now - first < kSameRequestNs) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered, and fatal, as soon as this handler returns
}

}  // namespace

void watch_for_interrupt(std::initializer_list<int> signals) {
  struct sigaction action {};
  action.sa_handler = on_signal;  // sa_flags without SA_RESTART, so that a waiting read returns
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

bool interrupted() noexcept { return first_signal_ns.load(std::memory_order_relaxed) != 0; }

}  // namespace byteformer::cli
