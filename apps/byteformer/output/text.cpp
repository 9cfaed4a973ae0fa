// Widths by blocks of Unicode, digits in groups, bars in eighths of a character, columns as wide as what they hold.
#include "output/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace byteformer::cli {
namespace {

struct Range {
  std::uint32_t first, last;
};

// The blocks that matter for aligned tables; a full table of Unicode widths would be longer than this program.
constexpr std::array kZeroWidth{Range{0x0300, 0x036f}, Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff},
                                Range{0xfe00, 0xfe0f}};
constexpr std::array kDoubleWidth{Range{0x1100, 0x115f}, Range{0x2e80, 0xa4cf},   Range{0xac00, 0xd7a3},
                                  Range{0xf900, 0xfaff}, Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},
                                  Range{0xffe0, 0xffe6}, Range{0x1f300, 0x1faff}, Range{0x20000, 0x3fffd}};

template <std::size_t kSize>
bool contains(const std::array<Range, kSize>& ranges, std::uint32_t code_point) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [=](Range range) { return range.first <= code_point && code_point <= range.last; });
}

std::uint32_t decode(std::string_view sequence) {
  static constexpr std::array<std::uint32_t, 5> kLeadMask{0, 0x7f, 0x1f, 0x0f, 0x07};
  std::uint32_t code_point = static_cast<unsigned char>(sequence[0]) & kLeadMask[sequence.size()];
  for (std::size_t i = 1; i < sequence.size(); ++i)
    code_point = code_point << 6 | (static_cast<unsigned char>(sequence[i]) & 0x3f);
  return code_point;
}

}  // namespace

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = base::utf8_sequence_length(text, i);
    if (length == 0) {  // a stray byte: terminals show one replacement character
      ++width;
      ++i;
      continue;
    }
    const std::uint32_t code_point = decode(text.substr(i, length));
    width += contains(kZeroWidth, code_point) ? 0 : contains(kDoubleWidth, code_point) ? 2 : 1;
    i += length;
  }
  return width;
}

std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(width > used ? width - used : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(width > used ? width - used : 0, ' ') + std::string(text);
}

std::string scaled(double number) {
  static constexpr std::array kUnits{"", " k", " M", " G", " T", " P", " E"};
  std::size_t unit = 0;
  while (number >= 999.9995 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:g}", number) : fmt::format("{:.3f}{}", number, kUnits[unit]);
}

std::string duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

std::string memory_size(std::uint64_t num_bytes) {
  static constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (num_bytes < 1024) return fmt::format("{} bytes", num_bytes);
  auto size = static_cast<double>(num_bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string counted(std::int64_t number, const std::string& singular) {
  return grouped(number) + " " + singular + (number == 1 ? "" : "s");
}

std::string percent(double fraction) { return fmt::format("{:.1f} %", 100 * fraction); }

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
