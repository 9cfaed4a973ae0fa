// Charts as SVG: no scripts, nothing to load, readable on white and on dark pages. Text takes the page's color.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace byteformer::chart {

/// Colors that stand out from each other and from white and dark pages; series without a color take them in turn.
inline constexpr const char* kColors[] = {"#0b7fab", "#8a5cd1", "#5a9a3e", "#b5651d", "#d04a3d", "#868e99"};

/// One curve.
struct Series {
  std::string name;          ///< in the legend; empty: not there
  std::vector<double> x, y;  ///< one y per x, in the order in which they are joined; what is not finite leaves a gap
  std::string color = {};    ///< "#rrggbb"; empty: the next of kColors
  bool has_markers = false;  ///< a dot at each point; a point without neighbours always has one
  bool is_dashed = false;    ///< for what is compared with
};

/// What an axis shows.
struct Axis {
  std::string label = {};           ///< below x, above y; may be empty
  bool is_logarithmic = false;      ///< values must be above 0
  std::optional<double> low = {};   ///< reaches at least down to this
  std::optional<double> high = {};  ///< reaches at least up to this
};

/// The curves as one `<svg>` element for a page.
/// \param title plain text, above the chart
/// \throws Error(kInvalidArgument) if a series has not one y per x, or a logarithmic axis a value that is not above 0
std::string line_chart(const std::string& title, const Axis& x, const std::vector<Series>& series, const Axis& y = {});

/// Such an element as a file of its own, whose text is dark or light as the reader's system prefers.
std::string svg_file(const std::string& svg);

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

/// The bars from the top down, a line of text each, as one `<svg>` element for a page.
/// \param title plain text, above the chart
std::string bar_chart(const std::string& title, const std::vector<Bar>& bars, const BarChartOptions& options = {});

/// One axis of a chart: from values to 0 … 1, linear or logarithmic.
class Scale {
 public:
  /// \param low, high finite; above 0 if logarithmic. Bounds that are not in order are set a little apart.
  Scale(double low, double high, bool is_logarithmic);

  /// The same bounds, moved out to the next round values. Logarithmic scales stay as they are.
  Scale rounded() const;

  double low() const { return low_; }
  double high() const { return high_; }

  /// 0 at the low end, 1 at the high one.
  double position(double value) const;

  /// Round values between the bounds, ascending: about four; logarithmic: powers of ten, with 2 and 5 between few of
  /// them.
  std::vector<double> ticks() const;

 private:
  double low_, high_;
  bool is_logarithmic_;
};

}  // namespace byteformer::chart
