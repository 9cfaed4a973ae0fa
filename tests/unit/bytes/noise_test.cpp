// Noise on byte values: its range, its wrap-around, its fairness.
#include <gtest/gtest.h>

#include <array>

#include "bytes/files.hpp"
#include "bytes/transforms.hpp"
#include "support/errors.hpp"

namespace byteformer::bytes {
namespace {

using test::expect_error;

File noisy(UniformNoise noise, File file) {
  base::Random random(5);
  add_noise(noise, file, random);
  return file;
}

TEST(NoiseTest, DrawsEveryValueOfItsRangeEquallyOften) {
  constexpr int kPerValue = 2000;
  for (const std::uint8_t start : {std::uint8_t{100}, std::uint8_t{0}, std::uint8_t{255}}) {  // two wrap around
    std::array<int, 256> counts{};
    for (const std::uint8_t byte : noisy({-5, 5}, File(11 * kPerValue, start))) ++counts[byte];
    for (int offset = -128; offset < 128; ++offset) {
      const int count = counts[static_cast<std::uint8_t>(start + offset)];
      if (offset < -5 || offset > 5)
        EXPECT_EQ(count, 0) << offset;
      else
        EXPECT_NEAR(count, kPerValue, 220) << offset;  // five deviations
    }
  }
}

TEST(NoiseTest, ARangeOfOneValueAddsIt) {
  EXPECT_EQ(noisy({0, 0}, counting(300)), counting(300));
  EXPECT_EQ(noisy({7, 7}, {0, 248, 249}), (File{7, 255, 0}));
  EXPECT_EQ(noisy({-255, -255}, {0, 255}), (File{1, 0}));
  EXPECT_EQ(noisy({-5, 5}, {}), File{});
}

TEST(NoiseTest, RefusesRangesThatMakeNoSense) {
  expect_error(ErrorCode::kInvalidArgument, {"noise from 5 to -5", "low <= high"}, [] {
    validate(UniformNoise{5, -5});
  });
  expect_error(ErrorCode::kInvalidArgument, {"-255 to 255"}, [] { validate(UniformNoise{-256, 0}); });
  expect_error(ErrorCode::kInvalidArgument, {"noise from 0 to 256"}, [] { validate(UniformNoise{0, 256}); });
  validate(UniformNoise{-255, 255});
}

}  // namespace
}  // namespace byteformer::bytes
