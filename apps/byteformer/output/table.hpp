// Aligned columns and bars for terminals.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace byteformer::cli {

/// A bar that fills `fraction` (clamped to [0, 1]) of `columns`: in eighths of a column where the terminal has block
/// characters, else in whole `#`. Not padded.
std::string bar(double fraction, std::size_t columns, bool has_unicode);

class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kRight;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Cells from the left; missing ones stay empty.
  void add_row(std::vector<std::string> cells);

  /// Headings and rows, two spaces between columns, every line ended.
  std::string text() const;

 private:
  std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace byteformer::cli
