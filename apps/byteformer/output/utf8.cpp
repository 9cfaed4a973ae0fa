// Columns of text on a terminal, by blocks of Unicode.
#include "output/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

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

}  // namespace byteformer::cli
