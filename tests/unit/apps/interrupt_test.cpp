// One request to stop, however often it is signalled, and the second request that ends the process.
#include "common/interrupt.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace byteformer::cli {
namespace {

TEST(InterruptTest, TheSameRequestTwiceSetsTheFlagOnce) {
  const auto program = [] {
    watch_for_interrupt();
    if (interrupted()) std::_Exit(1);
    std::raise(SIGINT);
    std::raise(SIGINT);
    std::_Exit(interrupted() ? 42 : 2);
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(42), "");
}

TEST(InterruptTest, ALaterOneEndsTheProcess) {
  const auto program = [] {
    watch_for_interrupt({SIGINT, SIGTERM});
    std::raise(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    std::raise(SIGINT);
    std::_Exit(0);
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGINT), "");
}

TEST(InterruptTest, OtherSignalsStayAsTheyAre) {
  const auto program = [] {
    watch_for_interrupt();
    std::raise(SIGTERM);
    std::_Exit(0);
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace byteformer::cli
