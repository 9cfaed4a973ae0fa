// UTF-8 checks, escapes, numbers for messages, and the distance between words.
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace byteformer::base {
namespace {

constexpr std::size_t kMaxExcerptBytes = 60;
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kEscapeBytes = 4;  // \xNN

void append_escape(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += {'\\', 'x', kHexDigits[value >> 4], kHexDigits[value & 15]};
}

void append_escapes(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) append_escape(out, byte);
}

/// The byte that the escape at `text[position]` stands for.
std::optional<char> escaped_byte(std::string_view text, std::size_t position) {
  const std::string_view escape = text.substr(position, kEscapeBytes);
  if (escape.size() < kEscapeBytes || !escape.starts_with("\\x")) return std::nullopt;
  const std::size_t high = kHexDigits.find(escape[2]), low = kHexDigits.find(escape[3]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

/// Whether the well-formed sequence `c` must not reach a terminal: C0, DEL, C1 (U+0080 to U+009F), and overrides and
/// isolates of direction (U+202A to U+202E, U+2066 to U+2069).
bool is_control(std::string_view c) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(c[i]); };
  if (c.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  if (c.size() == 2) return byte(0) == 0xc2 && byte(1) < 0xa0;
  if (c.size() != 3 || byte(0) != 0xe2) return false;
  return (byte(1) == 0x80 && byte(2) >= 0xaa && byte(2) <= 0xae) ||
         (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9);
}

/// Calls visit(sequence, is_utf8) for every well-formed sequence of `text`, and for every byte between them, as long as
/// it returns true.
template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence_length(text, i);
    const std::string_view sequence = text.substr(i, std::max<std::size_t>(1, length));
    if (!visit(sequence, length > 0)) return;
    i += sequence.size();
  }
}

/// `text` with escapes for what is no UTF-8, and for characters that is_fine() denies.
template <typename IsFine>
std::string with_escapes(std::string_view text, const IsFine& is_fine) {
  std::string out;
  for_each_character(text, [&](std::string_view character, bool is_text) {
    if (is_text && is_fine(character))
      out += character;
    else
      append_escapes(out, character);
    return true;
  });
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::move(above);
    above = std::move(row);
    row.assign(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text, std::size_t position) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
  if (position >= text.size()) return 0;
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() - position < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xed && byte(1) >= 0xa0;
  const bool too_large = lead == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

bool is_utf8(std::string_view text) noexcept {
  bool is_good = true;
  for_each_character(text, [&](std::string_view, bool is_text) { return is_good = is_text; });
  return is_good;
}

std::string escape_bytes(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = utf8_sequence_length(bytes, i);
    if (length == 0 || escaped_byte(bytes, i))
      append_escape(out, bytes[i]);
    else
      out += bytes.substr(i, length);
    i += std::max<std::size_t>(1, length);
  }
  return out;
}

std::string unescape_bytes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::optional<char> byte = escaped_byte(text, i);
    out += byte.value_or(text[i]);
    i += byte ? kEscapeBytes : 1;
  }
  return out;
}

std::string as_utf8(std::string_view text) {
  return with_escapes(text, [](std::string_view) { return true; });
}

std::string printable(std::string_view text, std::string_view kept) {
  return with_escapes(text,
                      [&](std::string_view c) { return !is_control(c) || kept.find(c) != std::string_view::npos; });
}

std::string excerpt(std::string_view text) {
  std::string out;
  for_each_character(text, [&](std::string_view character, bool is_text) {
    const bool is_full = out.size() >= kMaxExcerptBytes;
    if (is_full)
      out += "...";
    else if (is_text && !is_control(character))
      out += character;
    else
      append_escapes(out, character);
    return !is_full;
  });
  return out;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) text += {kHexDigits[byte >> 4], kHexDigits[byte & 15]};
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string duration_text(double seconds) {
  const auto s = std::lround(seconds);
  const auto two_digits = [](long n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (s < 60) return joined(s, " s");
  if (s < 3600) return joined(s / 60, ":", two_digits(s % 60), " min");
  return joined(s / 3600, ":", two_digits(s / 60 % 60), " h");
}

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

std::string list(std::span<const std::string> words, std::string_view separator, std::optional<std::string_view> last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 < words.size() ? separator : last.value_or(separator);
    text += words[i];
  }
  return text;
}

std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestWord = 64;  // beyond that nobody has misspelt a word
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t smallest = 0;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    const std::size_t forgiven = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (distance > forgiven || (nearest && distance >= smallest)) continue;
    nearest = candidate;
    smallest = distance;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::string_view otherwise) {
  const auto nearest = nearest_word(word, known);
  return nearest ? joined("; did you mean `", excerpt(*nearest), "`?") : std::string(otherwise);
}

}  // namespace byteformer::base
