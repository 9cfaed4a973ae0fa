// Scales, peaks and rows of heat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "explain/explanation.hpp"

namespace byteformer::cli {
namespace {

constexpr float kUnread = std::numeric_limits<float>::quiet_NaN();

TEST(HeatScale, IsOneForBothDirections) {
  const std::vector<float> heat{1.0f, -4.0f, kUnread, 2.0f};
  const HeatScale scale(heat);
  EXPECT_EQ(scale.greatest(), 4.0);
  EXPECT_EQ(scale.share(2.0f), 0.5);
  EXPECT_EQ(scale.share(-4.0f), -1.0);
  EXPECT_EQ(scale.share(kUnread), 0.0);
  EXPECT_EQ(scale.level(-4.0f), -HeatScale::kLevels);
  EXPECT_EQ(scale.level(2.0f), HeatScale::kLevels / 2);
  EXPECT_EQ(HeatScale(std::vector<float>{0.0f, 0.0f}).share(0.0f), 0.0);
}

TEST(HeatScale, TintsByHeat) {
  EXPECT_EQ(tinted({10, 20, 30}, 0), (Rgb{10, 20, 30}));
  EXPECT_EQ(tinted({10, 20, 30}, 1), kForColour);
  EXPECT_EQ(tinted({10, 20, 30}, -1), kAgainstColour);
}

TEST(HeatScale, PeaksAreTheStrongestOfEachKind) {
  const std::vector<float> heat{1, -2, 4, 0, kUnread, -4, 0};
  const std::vector<Peaks> peaks = peaks_of(heat, 2, HeatScale(heat));
  ASSERT_EQ(peaks.size(), 2U);
  EXPECT_EQ(peaks[0].speaks_for, 1.0);
  EXPECT_EQ(peaks[0].speaks_against, 0.5);
  EXPECT_EQ(peaks[1].speaks_for, 0.0);
  EXPECT_EQ(peaks[1].speaks_against, 1.0);
  EXPECT_EQ(peaks_of(heat, 100, HeatScale(heat)).size(), 7U);
}

TEST(HottestRows, AreThoseWithTheMostHeatInTheOrderOfTheFile) {
  std::vector<float> heat(16 * 5 + 3);
  heat[16 * 5 + 1] = -9;
  heat[16 * 2] = 3;
  heat[16 * 2 + 1] = -3;
  heat[0] = 1;
  EXPECT_EQ(hottest_rows(heat, 2), (std::vector<std::size_t>{2, 5}));
  EXPECT_EQ(hottest_rows(heat, 3), (std::vector<std::size_t>{0, 2, 5}));
  EXPECT_EQ(hottest_rows(heat, 99).size(), 6U);
  EXPECT_EQ(offset_text(384), "00000180");
}

}  // namespace
}  // namespace byteformer::cli
