// The system's randomness: as many bytes as asked for, and never the same ones.
#include <gtest/gtest.h>

#include <bitset>
#include <vector>

#include "base/random.hpp"

namespace byteformer::base {
namespace {

TEST(SystemRandomTest, FillsAllOfIt) {
  std::vector<std::uint8_t> bytes(100'000);
  fill_from_system_random(bytes);
  std::bitset<256> seen;
  for (const std::uint8_t byte : std::span(bytes).last(10'000)) seen.set(byte);
  EXPECT_TRUE(seen.all());  // fails by chance once in 10^14 runs
  fill_from_system_random({});
}

TEST(SystemRandomTest, NoTwoDrawsAgree) {
  std::vector<std::uint8_t> a(32), b(32);
  fill_from_system_random(a);
  fill_from_system_random(b);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace byteformer::base
