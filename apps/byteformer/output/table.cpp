// Columns as wide as what they hold, and bars in eighths of a character.
#include "output/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "output/utf8.hpp"

namespace byteformer::cli {

std::string bar(double fraction, std::size_t columns, bool has_unicode) {
  static constexpr std::array kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double filled = (fraction > 0 ? std::min(fraction, 1.0) : 0.0) * static_cast<double>(columns);
  if (!has_unicode) return std::string(static_cast<std::size_t>(std::lround(filled)), '#');
  const auto eighths = static_cast<std::size_t>(std::lround(filled * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text + kEighths[eighths % 8];
}

void Table::add_row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<std::size_t> column_widths = widths();
  std::string text;
  const auto append_line = [&](const auto& cell) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool is_left = columns_[i].align == Align::kLeft;
      line +=
          (i == 0 ? "" : "  ") + (is_left ? pad_right(cell(i), column_widths[i]) : pad_left(cell(i), column_widths[i]));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append_line([&](std::size_t i) { return columns_[i].heading; });
  for (const auto& row : rows_) append_line([&](std::size_t i) { return row[i]; });
  return text;
}

}  // namespace byteformer::cli
