// Text for people on a terminal: columns that it takes, numbers, bars and tables.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace byteformer::cli {

/// Columns that `text` takes on a terminal: combining marks take none, wide East Asian characters and emoji two.
std::size_t display_width(std::string_view text) noexcept;

/// `text` followed by the spaces that fill `width` columns.
std::string pad_right(std::string_view text, std::size_t width);

/// `text` after the spaces that fill `width` columns.
std::string pad_left(std::string_view text, std::size_t width);

using base::grouped;
inline std::string grouped(std::unsigned_integral auto number) { return grouped(static_cast<std::int64_t>(number)); }

/// "1 file", "2 files", "1,000 files".
std::string counted(std::int64_t number, const std::string& singular);
std::string counted(std::unsigned_integral auto number, const std::string& singular) {
  return counted(static_cast<std::int64_t>(number), singular);
}

/// 0.123 as "12.3 %".
std::string percent(double fraction);

/// 23680864512 as "23.681 G": three decimals and k, M, G, T; below a thousand the number itself.
std::string scaled(double number);

/// 0.01234 as "12.34 ms": seconds in the unit that leaves one to three digits before the point.
std::string duration(double seconds);

/// 104857600 as "100.0 MiB".
std::string memory_size(std::uint64_t num_bytes);

/// Of bars in tables.
inline constexpr std::size_t kBarColumns = 20;

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
