// A table of text whose columns line up.
#pragma once

#include <string>
#include <vector>

namespace byteformer::cli {

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
