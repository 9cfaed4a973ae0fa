// Damage: how much there is of it, that levels nest, that it follows from file and seed alone, and that something
// stays.
#include "bytes/damage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "bytes/files.hpp"
#include "support/errors.hpp"

namespace byteformer::bytes {
namespace {

using test::expect_error;
using enum DamageKind;

constexpr DamageKind kAll[] = {kBitFlips, kByteNoise, kTruncate, kDropBlocks, kZeroBlocks, kShuffleWindows};
constexpr DamageKind kInPlace[] = {kBitFlips, kByteNoise, kZeroBlocks};

std::vector<bool> changes(const File& a, const File& b) {
  std::vector<bool> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] != b[i];
  return result;
}

double share(const std::vector<bool>& changed) {
  return static_cast<double>(std::ranges::count(changed, true)) / static_cast<double>(changed.size());
}

TEST(DamageTest, NoDamageChangesNothing) {
  for (const std::size_t size : {0, 1, 63, 64, 65, 1000})
    for (const DamageKind kind : kAll)
      EXPECT_EQ(damaged({kind, kind == kShuffleWindows ? 1.0 : 0.0}, random_file(size), 1), random_file(size));
}

TEST(DamageTest, FlipsTheShareOfBitsThatWasAskedFor) {
  const File file = random_file(100'000);
  for (const double rate : {0.001, 0.1, 0.5}) {
    const File out = damaged({kBitFlips, rate}, file, 1);
    int num_flips = 0;
    for (std::size_t i = 0; i < file.size(); ++i) num_flips += std::popcount(static_cast<unsigned>(file[i] ^ out[i]));
    EXPECT_NEAR(num_flips, 800'000 * rate, 5 * std::sqrt(800'000 * rate)) << rate;
  }
  const File inverted = damaged({kBitFlips, 1}, file, 1);
  for (std::size_t i = 0; i < file.size(); ++i) ASSERT_EQ(inverted[i], 255 - file[i]);
}

TEST(DamageTest, ReplacesTheShareOfBytesThatWasAskedFor) {
  const File file(100'000, 7);
  for (const double rate : {0.01, 0.3, 1.0}) {
    const File out = damaged({kByteNoise, rate}, file, 1);
    EXPECT_NEAR(share(changes(file, out)), rate * 255 / 256, 5 * std::sqrt(rate / 100'000)) << rate;
  }
  const File noise = damaged({kByteNoise, 1}, file, 1);
  for (int value = 0; value < 256; ++value)
    EXPECT_NEAR(static_cast<double>(std::ranges::count(noise, value)), 100'000 / 256.0, 100) << value;
}

TEST(DamageTest, TruncationTakesTheEnd) {
  const File file = counting(1000);
  EXPECT_EQ(damaged({kTruncate, 0.25}, file, 1), File(file.begin(), file.begin() + 750));
  EXPECT_EQ(damaged({kTruncate, 1}, file, 1), File{0});
  EXPECT_EQ(damaged({kTruncate, 0.9}, {5, 6}, 1), File{5});
}

TEST(DamageTest, LostBlocksAreWholeOnesAndLaterOnesMoveUp) {
  File file;  // every block has a value of its own; the last is short
  for (std::size_t i = 0; i < 200 * kDamageBlock + 10; ++i) file.push_back(static_cast<std::uint8_t>(i / kDamageBlock));
  const File out = damaged({kDropBlocks, 0.3}, file, 1);
  EXPECT_TRUE(std::ranges::is_sorted(out));
  std::size_t num_lost = 0;
  for (int value = 0; value < 201; ++value) {
    const auto left = std::ranges::count(out, value);
    EXPECT_TRUE(left == 0 || left == std::ranges::count(file, value)) << value;
    num_lost += left == 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(num_lost), 60, 32);
}

TEST(DamageTest, OneBlockAlwaysStays) {
  for (const std::size_t size : {1, 64, 65, 6400}) {
    const File out = damaged({kDropBlocks, 1}, random_file(size), 3);
    EXPECT_GE(out.size(), 1U) << size;
    EXPECT_LE(out.size(), kDamageBlock) << size;
  }
}

TEST(DamageTest, ZeroedBlocksStayInPlace) {
  const File file(100 * kDamageBlock, 9);
  const File out = damaged({kZeroBlocks, 0.5}, file, 1);
  ASSERT_EQ(out.size(), file.size());
  for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], out[i / kDamageBlock * kDamageBlock]) << i;
  EXPECT_NEAR(share(changes(file, out)), 0.5, 0.25);
  EXPECT_EQ(damaged({kZeroBlocks, 1}, file, 1), File(file.size()));
}

TEST(DamageTest, WindowsKeepTheirBytesEachInAnOrderOfItsOwn) {
  File file = counting(250);
  const File out = damaged({kShuffleWindows, 100}, file, 1);
  EXPECT_NE(out, file);
  for (const std::size_t begin : {0, 100, 200}) {
    const std::size_t end = std::min<std::size_t>(begin + 100, 250);
    File window(out.begin() + static_cast<std::ptrdiff_t>(begin), out.begin() + static_cast<std::ptrdiff_t>(end));
    std::ranges::sort(window);
    EXPECT_EQ(window,
              File(file.begin() + static_cast<std::ptrdiff_t>(begin), file.begin() + static_cast<std::ptrdiff_t>(end)));
  }
  bool is_one_order = true;
  for (std::size_t i = 0; i < 100; ++i) is_one_order = is_one_order && out[i + 100] == out[i] + 100;
  EXPECT_FALSE(is_one_order);
}

TEST(DamageTest, WhatALowerLevelDamagesAHigherOneDamagesToo) {
  const File file(10'000, 7);
  for (const DamageKind kind : kInPlace) {
    const auto low = changes(file, damaged({kind, 0.1}, file, 1)), high = changes(file, damaged({kind, 0.4}, file, 1));
    for (std::size_t i = 0; i < file.size(); ++i) ASSERT_LE(low[i], high[i]) << i;
    EXPECT_LT(share(low), share(high));
  }
}

TEST(DamageTest, FollowsFromFileKindAndSeed) {
  const File file = random_file(5000), other = random_file(5000, 2);
  for (const DamageKind kind : {kBitFlips, kByteNoise, kDropBlocks, kZeroBlocks, kShuffleWindows}) {
    const Damage damage{kind, kind == kShuffleWindows ? 50.0 : 0.5};
    EXPECT_EQ(damaged(damage, file, 1), damaged(damage, file, 1));
    EXPECT_NE(damaged(damage, file, 1), damaged(damage, file, 2));
  }
  const auto where = [](const File& before) { return changes(before, damaged({kZeroBlocks, 0.5}, before, 1)); };
  EXPECT_NE(where(file), where(other)) << "files have fates of their own";
}

TEST(DamageTest, RefusesLevelsThatMakeNoSense) {
  for (const double level : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    expect_error(ErrorCode::kInvalidArgument, {"0 to 1"}, [&] { damaged({kBitFlips, level}, {1}, 1); });
  for (const double level : {0.0, 1.5, kMaxWindow + 1})
    expect_error(ErrorCode::kInvalidArgument, {"whole number", "16777216"}, [&] {
      damaged({kShuffleWindows, level}, {1}, 1);
    });
}

}  // namespace
}  // namespace byteformer::bytes
