// Curves with axes and a legend, as SVG: no scripts, nothing to load, readable on white and on dark pages.
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
  std::vector<double> x, y;  ///< one y an x, in the order in which they are joined; what is not finite leaves a gap
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

/// The curves as one `<svg>` element for a page: text takes the page's color.
/// \param title plain text, above the chart
/// \throws Error(kInvalidArgument) if a series has not one y an x, or a logarithmic axis a value that is not above 0
std::string line_chart(const std::string& title, const Axis& x, const std::vector<Series>& series, const Axis& y = {});

/// Such an element as a file of its own, whose text is dark or light as the reader's system prefers.
std::string svg_file(const std::string& svg);

}  // namespace byteformer::chart
