// Every iteration runs once, on a worker of its own, whoever calls.
#include "base/thread_pool.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <thread>
#include <vector>

namespace byteformer::base {
namespace {

TEST(ThreadPool, RunsEveryIterationOnce) {
  for (int threads = 1; threads <= 5; ++threads) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (std::size_t count = 0; count < 200; ++count) {
      std::vector<std::atomic<int>> runs(count);
      pool.parallel_for(count, [&](std::size_t i, int) noexcept { ++runs[i]; });
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(runs[i], 1);
    }
  }
}

TEST(ThreadPool, IterationsMayWaitForEarlierOnes) {
  for (int threads = 1; threads <= 4; ++threads) {
    ThreadPool pool(threads);
    for (int round = 0; round < 50; ++round) {
      std::atomic<std::size_t> ended{0};
      pool.parallel_for(100, [&](std::size_t i, int) noexcept {
        for (std::size_t seen = ended; seen < i; seen = ended) ended.wait(seen);
        ++ended;
        ended.notify_all();
      });
      ASSERT_EQ(ended, 100u);
    }
  }
}

TEST(ThreadPool, WorkersNeverShareAnIndex) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(4);
  std::atomic<bool> shared{false};
  for (int round = 0; round < 200; ++round) {
    pool.parallel_for(64, [&](std::size_t, int worker) noexcept {
      if (busy[static_cast<std::size_t>(worker)].fetch_add(1) != 0) shared = true;
      busy[static_cast<std::size_t>(worker)].fetch_sub(1);
    });
  }
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, ServesManyCallersAtOnce) {
  ThreadPool pool(3);
  std::atomic<std::size_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) pool.parallel_for(17, [&](std::size_t, int) noexcept { ++total; });
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(total, 4u * 200u * 17u);
}

#ifndef BYTEFORMER_RUNS_SLOWLY  // sanitizers need all addresses, and emulators many
/// For a process of its own: there are addresses for the stacks of some threads and not of all.
[[noreturn]] void start_more_threads_than_fit() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  rlimit tight{};
  tight.rlim_cur = tight.rlim_max = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
  setrlimit(RLIMIT_AS, &tight);
  try {
    const ThreadPool pool(100);
  } catch (const std::system_error&) {
    std::_Exit(7);
  }
  std::_Exit(0);
}

TEST(ThreadPool, ThreadsThatCannotBeStartedAreAnErrorAndNoEnd) {
  EXPECT_EXIT(start_more_threads_than_fit(), testing::ExitedWithCode(7), "");
}
#endif

}  // namespace
}  // namespace byteformer::base
