// Which processors there are, and that a thread stays where it is told to.
#include "base/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <thread>

namespace byteformer::base {
namespace {

TEST(Processors, AreThoseThatTheProcessMayUse) {
  const std::vector<int> allowed = allowed_processors();
  EXPECT_EQ(allowed.size(), static_cast<std::size_t>(num_processors()));
  EXPECT_TRUE(std::ranges::is_sorted(allowed));
  EXPECT_EQ(or_processors(0), num_processors());
  EXPECT_EQ(or_processors(3), 3);
}

TEST(Processors, KeepTheirThread) {
  for (const int processor : allowed_processors())
    std::thread([processor] {
      ASSERT_TRUE(stay_on(processor));
      EXPECT_EQ(allowed_processors(), std::vector{processor});
      EXPECT_EQ(num_processors(), 1);
      EXPECT_EQ(sched_getcpu(), processor);
    }).join();
}

TEST(Processors, RefuseWhatIsNone) {
  const std::vector<int> allowed = allowed_processors();
  EXPECT_FALSE(stay_on(-1));
  EXPECT_FALSE(stay_on(1 << 20));
  EXPECT_EQ(allowed_processors(), allowed);
}

}  // namespace
}  // namespace byteformer::base
