// Bars with their spread, a line of text each, as SVG: no scripts, nothing to load, readable on white and on dark
// pages.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace byteformer::chart {

/// One line of a bar chart.
struct Bar {
  std::string label;                     ///< left of it
  double value = 0;                      ///< also written beside it
  std::optional<double> spread = {};     ///< a whisker from value - spread to value + spread
  std::optional<double> reference = {};  ///< a diamond: what it is compared with
};

struct BarChartOptions {
  double low = 0, high = 100;       ///< the axis reaches at least from here to there
  std::string name = {};            ///< of the bars, in the legend
  std::string reference_name = {};  ///< of the diamonds; the legend is there if any bar has one
};

/// The bars from the top down as one `<svg>` element for a page: text takes the page's color.
/// \param title plain text, above the chart
std::string bar_chart(const std::string& title, const std::vector<Bar>& bars, const BarChartOptions& options = {});

}  // namespace byteformer::chart
