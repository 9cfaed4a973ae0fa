// Random numbers: the same everywhere, fair, independent.
#include "base/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace byteformer::base {
namespace {

// From the reference C code of splitmix64 and xoshiro256** (Blackman, Vigna), seeded as random.cpp says; computed by
// a second implementation in Python.
TEST(RandomTest, GivesTheReferenceValues) {
  Random zero(0);
  Random keyed(1, 2, 3);
  const std::array<std::uint64_t, 3> of_zero = {0x8A21CD34A214A917, 0x9C507E12243E64D0, 0xC3763B828E49DC84};
  const std::array<std::uint64_t, 3> of_keyed = {0xCA69C028E6E283E8, 0xC86DF1A5F8F50802, 0x24D29C12572AB43B};
  for (const std::uint64_t value : of_zero) EXPECT_EQ(zero.bits(), value);
  for (const std::uint64_t value : of_keyed) EXPECT_EQ(keyed.bits(), value);
}

TEST(RandomTest, StreamsOfDifferentKeysDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (std::uint64_t a = 0; a < 10; ++a)
      for (std::uint64_t b = 0; b < 10; ++b) seen.insert(Random(seed, a, b).bits());
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(RandomTest, BelowIsFairAndInRange) {
  Random random(7);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);  // five deviations
  EXPECT_EQ(random.below(1), 0U);
  // Taking the remainder alone would make the lower half of this range twice as likely as the upper one.
  const std::uint64_t n = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  int num_low = 0;
  for (int i = 0; i < 30'000; ++i) num_low += random.below(n) < n / 3 ? 1 : 0;
  EXPECT_NEAR(num_low, 10'000, 450);
}

TEST(RandomTest, UniformNumbersFillTheirRange) {
  Random random(3);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.uniform(-2, 4);
    ASSERT_GE(value, -2);
    ASSERT_LT(value, 4);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 1, 0.03);
  EXPECT_EQ(random.uniform(5, 5), 5);
}

TEST(RandomTest, NormalNumbersHaveMomentsOfTheNormalDistribution) {
  Random random(5);
  constexpr int kCount = 200'000;
  std::array<double, 5> moments{};
  int within_one = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = random.normal();
    for (std::size_t k = 1; k < moments.size(); ++k) moments[k] += std::pow(value, static_cast<double>(k)) / kCount;
    within_one += std::abs(value) < 1 ? 1 : 0;
  }
  EXPECT_NEAR(moments[1], 0, 0.01);
  EXPECT_NEAR(moments[2], 1, 0.015);
  EXPECT_NEAR(moments[3], 0, 0.04);
  EXPECT_NEAR(moments[4], 2.9, 0.1);  // 3 for the normal distribution, 2.9 for a sum of twelve
  EXPECT_NEAR(within_one / double{kCount}, 0.683, 0.01);
}

TEST(RandomTest, ShuffleKeepsItemsAndReachesAllOrders) {
  Random random(11);
  std::set<std::vector<int>> orders;
  for (int i = 0; i < 500; ++i) {
    std::vector<int> items = {1, 2, 3, 4};
    random.shuffle(std::span(items));
    EXPECT_EQ(std::accumulate(items.begin(), items.end(), 0), 10);
    orders.insert(items);
  }
  EXPECT_EQ(orders.size(), 24U);
}

}  // namespace
}  // namespace byteformer::base
