// Orders of bytes, by their definitions, at every small length.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "bytes/files.hpp"
#include "bytes/transforms.hpp"
#include "support/errors.hpp"

namespace byteformer::bytes {
namespace {

using test::expect_error;

File shuffled(ShuffleMode mode, std::uint32_t n, File file, std::uint64_t seed = 1) {
  base::Random random(seed);
  reorder(Shuffle{mode, n}, file, random);
  return file;
}

TEST(ShuffleTest, ReverseTurnsTheFileAround) {
  EXPECT_EQ(shuffled(ShuffleMode::kReverse, 1, {}), File{});
  EXPECT_EQ(shuffled(ShuffleMode::kReverse, 1, {1}), File{1});
  EXPECT_EQ(shuffled(ShuffleMode::kReverse, 1, {1, 2, 3}), (File{3, 2, 1}));
}

TEST(ShuffleTest, CyclicHalfLengthMovesEveryByteByHalfTheLength) {
  for (std::size_t length = 0; length < 40; ++length) {
    const File in = counting(length);
    File expected(length);
    for (std::size_t i = 0; i < length; ++i) expected[(i + length / 2) % length] = in[i];
    EXPECT_EQ(shuffled(ShuffleMode::kCyclicHalfLength, 1, in), expected) << length;
  }
}

TEST(ShuffleTest, StrideTakesEveryNthByteInTurn) {
  for (std::size_t length = 0; length < 40; ++length)
    for (std::uint32_t n = 1; n < 42; ++n) {
      File expected = counting(length);
      std::ranges::stable_sort(expected, {}, [&](std::uint8_t i) { return i % n; });
      EXPECT_EQ(shuffled(ShuffleMode::kStride, n, counting(length)), expected) << length << " " << n;
    }
}

TEST(ShuffleTest, WindowShuffleGivesFullWindowsOneOrder) {
  for (std::uint32_t n = 1; n < 10; ++n) {
    const auto order = window_order(n);
    for (const std::size_t length : {0U, 1U, 2U, n - 1, n, n + 1, 2 * n - 1, 2 * n, 2 * n + 1, 5 * n + n / 2}) {
      const File in = counting(length);
      File expected = in;
      for (std::size_t w = 0; w < length / n; ++w)
        for (std::size_t i = 0; i < n; ++i) expected[w * n + i] = in[w * n + order[i]];
      EXPECT_EQ(shuffled(ShuffleMode::kWindowShuffle, n, in), expected) << length << " " << n;
    }
  }
}

TEST(ShuffleTest, RandomShuffleKeepsTheBytesAndDrawsAnOrder) {
  std::set<File> orders;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    File file = shuffled(ShuffleMode::kRandomShuffle, 1, {1, 2, 3, 4}, seed);
    orders.insert(file);
    std::ranges::sort(file);
    EXPECT_EQ(file, (File{1, 2, 3, 4}));
  }
  EXPECT_EQ(orders.size(), 24U);
  EXPECT_EQ(shuffled(ShuffleMode::kRandomShuffle, 1, {}), File{});
  EXPECT_EQ(shuffled(ShuffleMode::kRandomShuffle, 1, counting(256), 3),
            shuffled(ShuffleMode::kRandomShuffle, 1, counting(256), 3));
}

TEST(ShuffleTest, ModesHaveNames) {
  for (const char* name : {"reverse", "cyclic_half_length", "stride", "window_shuffle", "random_shuffle"})
    EXPECT_EQ(to_string(parse_shuffle_mode(name)), name);
  expect_error(ErrorCode::kInvalidArgument, {"reverse, cyclic_half_length, stride, window_shuffle, random_shuffle"},
               [] { parse_shuffle_mode("strides"); });
}

TEST(ShuffleTest, SizesHaveBounds) {
  expect_error(ErrorCode::kInvalidArgument, {"n of stride is 0", "1 to 16777216"}, [] {
    validate(Shuffle{ShuffleMode::kStride, 0});
  });
  expect_error(ErrorCode::kInvalidArgument, {"n of window_shuffle is 16777217"}, [] {
    validate(Shuffle{ShuffleMode::kWindowShuffle, Shuffle::kMaxSize + 1});
  });
  validate(Shuffle{ShuffleMode::kStride, Shuffle::kMaxSize});
  validate(Shuffle{ShuffleMode::kReverse, 0});
}

}  // namespace
}  // namespace byteformer::bytes
