// Counting forks.
#include "base/process_local.hpp"

#include <pthread.h>

namespace byteformer::base {
namespace {

std::atomic<unsigned> generation{0};

}  // namespace

unsigned fork_generation() noexcept {
  // Where the system has no memory for one more handler, a child would wait for threads that it does not have.
  static const int failed =
      pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(failed);
  return generation.load(std::memory_order_relaxed);
}

}  // namespace byteformer::base
