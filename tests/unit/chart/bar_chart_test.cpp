// Bars end where their values are, and whiskers and diamonds where theirs are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "chart/charts.hpp"

namespace byteformer::chart {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The numbers that the groups of `pattern` find in `svg`, one row a match.
std::vector<std::vector<double>> numbers(const std::string& svg, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::vector<double>> rows;
  for (std::sregex_iterator match(svg.begin(), svg.end(), expression), end; match != end; ++match) {
    rows.emplace_back();
    for (std::size_t i = 1; i < match->size(); ++i) rows.back().push_back(std::stod((*match)[i]));
  }
  return rows;
}

constexpr const char* kBars = R"re(<rect x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)" height="13")re";

TEST(BarChartTest, LengthsAreInProportion) {
  const auto bars = numbers(bar_chart("accuracy", {{"a", 25, {}, {}}, {"b", 100, {}, {}}}), kBars);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_EQ(bars[0][0], bars[1][0]);
  EXPECT_NEAR(4 * bars[0][1], bars[1][1], 0.5);
}

TEST(BarChartTest, WhiskersReachFromBelowToAbove) {
  const std::string svg = bar_chart("accuracy", {{"a", 50, 10, {}}, {"b", 60, {}, {}}, {"c", 40, {}, {}}});
  const auto bars = numbers(svg, kBars);
  const auto whiskers = numbers(svg, R"re(<path d="M([0-9.]+) [0-9.]+H([0-9.]+)M)re");
  ASSERT_EQ(whiskers.size(), 1U);
  EXPECT_NEAR(whiskers[0][1], bars[1][0] + bars[1][1], 0.2);
  EXPECT_NEAR(whiskers[0][0], bars[2][0] + bars[2][1], 0.2);
  EXPECT_THAT(svg, HasSubstr("50.0 ± 10.0"));
}

TEST(BarChartTest, DiamondsStandWhereTheirValueIs) {
  const std::string svg = bar_chart("accuracy", {{"a", 50, {}, 75}, {"b", 75, {}, {}}}, {0, 100, "here", "paper"});
  const auto bars = numbers(svg, kBars);
  const auto diamonds = numbers(svg, R"re(<path d="M([0-9.]+) [0-9.]+l6 6)re");
  ASSERT_EQ(diamonds.size(), 2U) << "the legend's and the bar's";
  EXPECT_NEAR(diamonds[1][0], bars[1][0] + bars[1][1], 0.2);
  EXPECT_THAT(svg, HasSubstr(">paper<"));
}

TEST(BarChartTest, TheLegendComesWithTheDiamonds) {
  EXPECT_THAT(bar_chart("accuracy", {{"a", 50, {}, {}}}, {0, 100, "here", "paper"}), Not(HasSubstr("paper")));
}

TEST(BarChartTest, ValuesBeyondTheBoundsWidenThem) {
  const auto bars = numbers(bar_chart("times", {{"a", 100, {}, {}}, {"b", 400, {}, {}}}), kBars);
  EXPECT_NEAR(4 * bars[0][1], bars[1][1], 0.5);
}

TEST(BarChartTest, LabelsStayText) { EXPECT_THAT(bar_chart("<b>", {{"a<b", 1, {}, {}}}), Not(HasSubstr("<b"))); }

}  // namespace
}  // namespace byteformer::chart
