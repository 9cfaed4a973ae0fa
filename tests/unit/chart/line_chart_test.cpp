// What a chart must show: every point where it belongs, names that do not overlap, gaps, and no foreign markup.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "byteformer/error.hpp"
#include "chart/charts.hpp"

namespace byteformer::chart {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

struct Label {
  double left, right, y;
};

/// Where legend entries stand; a character is taken to be 6.6 pixels wide, as in common fonts of 12 pixels.
std::vector<Label> legend_labels(const std::string& svg) {
  static const std::regex pattern("<text x=\"([0-9.]+)\" y=\"([0-9.]+)\" font-size=\"12\"[^>]*>([^<]*)<");
  std::vector<Label> labels;
  for (std::sregex_iterator match(svg.begin(), svg.end(), pattern), end; match != end; ++match) {
    const double left = std::stod((*match)[1]);
    labels.push_back({left, left + 6.6 * static_cast<double>((*match)[3].length()), std::stod((*match)[2])});
  }
  return labels;
}

TEST(LineChartTest, PointsLieBetweenTheCornersOfThePlot) {
  const std::string svg = line_chart("Loss", {}, {{"a", {0, 5, 10}, {0, 100, 50}}});
  EXPECT_THAT(svg, HasSubstr("points=\"62.0,210.0 254.0,28.0 446.0,119.0 \""));
}

TEST(LineChartTest, LogarithmicAxesAreEvenInDecades) {
  const std::string svg =
      line_chart("", {.label = "rate", .is_logarithmic = true}, {{"", {0.001, 0.01, 0.1}, {0, 50, 100}}});
  EXPECT_THAT(svg, HasSubstr("points=\"62.0,210.0 254.0,119.0 446.0,28.0 \""));
  EXPECT_THAT(svg, HasSubstr(">0.001<"));
  EXPECT_THAT(svg, HasSubstr(">rate<"));
}

TEST(LineChartTest, AxesReachWhereTheyAreTold) {
  const std::string svg = line_chart("", {}, {{"", {0, 1}, {40, 60}}}, {.label = "top-1, %", .low = 0, .high = 100});
  EXPECT_THAT(svg, HasSubstr(">0</text>"));
  EXPECT_THAT(svg, HasSubstr(">100</text>"));
  EXPECT_THAT(svg, HasSubstr(">top-1, %</text>"));
}

TEST(LineChartTest, MarkersAreOptionalAndALonePointHasOne) {
  const Series plain{"", {0, 1, 2}, {1, 2, 3}};
  EXPECT_EQ(count(line_chart("", {}, {plain}), "<circle"), 0U);
  Series marked = plain;
  marked.has_markers = true;
  EXPECT_EQ(count(line_chart("", {}, {marked}), "<circle"), 3U);
  EXPECT_EQ(count(line_chart("", {}, {{"", {1}, {2}}}), "<circle"), 1U);
}

TEST(LineChartTest, WhatIsNotFiniteLeavesAGap) {
  const std::string svg = line_chart("", {}, {{"", {0, 1, 2, 3, 4, 5}, {1, 2, NAN, 3, 4, INFINITY}}});
  EXPECT_EQ(count(svg, "<polyline"), 2U);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(LineChartTest, NothingToShowIsSaid) {
  EXPECT_THAT(line_chart("empty", {}, {}), HasSubstr("nothing was measured"));
  EXPECT_THAT(line_chart("empty", {}, {{"", {1}, {NAN}}}), HasSubstr("nothing was measured"));
}

TEST(LineChartTest, LegendEntriesDoNotOverlap) {
  std::vector<Series> series;
  for (int i = 0; i < 9; ++i) series.push_back({"a name of curve " + std::to_string(i), {0, 1}, {0, 1}});
  for (const std::string title : {"T", "A title that is itself so long that no name can stand beside it"}) {
    const auto labels = legend_labels(line_chart(title, {}, series));
    ASSERT_EQ(labels.size(), 9U);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      EXPECT_LE(labels[i].right, 460) << i;
      if (i > 0 && labels[i].y == labels[i - 1].y) {
        EXPECT_GE(labels[i].left, labels[i - 1].right) << i;
      }
    }
    EXPECT_GT(labels.back().y, labels.front().y);
  }
}

TEST(LineChartTest, AShortLegendStandsBesideTheTitle) {
  const auto labels =
      legend_labels(line_chart("Loss by epoch", {}, {{"training", {0}, {0}}, {"validation", {0}, {0}}}));
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels[0].y, 16);
  EXPECT_GT(labels[0].left, 62 + 7 * 13);
}

TEST(LineChartTest, NamesFromOutsideStayText) {
  const std::string svg = line_chart("<b>", {.label = "<c>"}, {{"<d>", {0, 1}, {0, 1}}}, {.label = "<e>"});
  for (const char* tag : {"<b>", "<c>", "<d>", "<e>"}) EXPECT_THAT(svg, Not(HasSubstr(tag)));
}

TEST(LineChartTest, SeriesTakeColorsInTurn) {
  const std::string svg = line_chart("", {}, {{"", {0, 1}, {0, 1}}, {"", {0, 1}, {1, 0}}});
  EXPECT_THAT(svg, HasSubstr(kColors[0]));
  EXPECT_THAT(svg, HasSubstr(kColors[1]));
}

TEST(LineChartTest, WrongSeriesAreRefused) {
  EXPECT_THROW(line_chart("", {}, {{"a", {0, 1}, {0}}}), Error);
  EXPECT_THROW(line_chart("", {.is_logarithmic = true}, {{"a", {0, 1}, {0, 1}}}), Error);
}

TEST(LineChartTest, AFileNamesItsLanguageAndFollowsTheReader) {
  const std::string file = svg_file(line_chart("T", {}, {{"", {0, 1}, {0, 1}}}));
  EXPECT_THAT(file, StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox="));
  EXPECT_THAT(file, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THROW(svg_file("<html>"), Error);
}

}  // namespace
}  // namespace byteformer::chart
