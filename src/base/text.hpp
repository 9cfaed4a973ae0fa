// Text for people and for files: UTF-8, escapes for bytes that are not, words joined into messages, the nearest word.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/error.hpp"

namespace byteformer::base {

// A path is any bytes; JSON, YAML, HTML, protocols and people want text. Every byte that is not text is written as
// \xNN, two hexadecimal digits in lower case; these functions alone do so.

/// Length in bytes of the well-formed UTF-8 sequence that starts at `text[position]`; 0 if none does (overlong forms,
/// surrogates and anything beyond U+10FFFF are not well-formed).
std::size_t utf8_sequence_length(std::string_view text, std::size_t position) noexcept;

/// What some editors put before UTF-8.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// `bytes` as UTF-8, for files and protocols: what is no UTF-8 is escaped, and so is a backslash (as \x5c) where the
/// text would otherwise read like an escape. Any other UTF-8 stays as it is. Not by surrogates, as Python's
/// `surrogateescape` does it: most parsers refuse those.
std::string escape_bytes(std::string_view bytes);

/// The bytes that escape_bytes() made `text` of.
std::string unescape_bytes(std::string_view text);

/// `text` in which only what is no UTF-8 is escaped: for what is text already and is not read back, as messages.
std::string as_utf8(std::string_view text);

/// `text` for people: besides what is no UTF-8, control characters (C0, DEL, C1) and those that turn the direction of
/// writing are escaped, which could make a terminal or a page lie. Printable text stays as it is.
/// \param kept  control characters that are left alone, for text of several lines: "\n"
std::string printable(std::string_view text, std::string_view kept = "");

/// `text` for an error message: printable, and at most about 60 bytes.
std::string excerpt(std::string_view text);

/// `bytes` in hexadecimal, lower case.
std::string hex(std::span<const std::uint8_t> bytes);

/// `text` with the letters of ASCII in lower case.
std::string lower_case(std::string_view text);

/// 150668 as "150,668".
std::string grouped(std::int64_t number);

/// "5 s", "12:03 min", "2:30 h"
std::string duration_text(double seconds);

/// The shortest text that reads back as `value`.
std::string number_text(double value);

namespace detail {
inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, char part) { out += part; }
inline void append(std::string& out, double part) { out += number_text(part); }
inline void append(std::string& out, std::integral auto part) { out += std::to_string(part); }
}  // namespace detail

/// The parts (text and numbers) one after another.
template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

/// "a, b or c": words with `separator` between them, and `last` (if it is given) before the last one.
std::string list(std::span<const std::string> words, std::string_view separator,
                 std::optional<std::string_view> last = std::nullopt);

/// What `of` (a function or a member) says of each of `things`: words for list() and did_you_mean().
template <typename Things, typename Of>
std::vector<std::string> words_of(const Things& things, const Of& of) {
  std::vector<std::string> words;
  for (const auto& thing : things) words.emplace_back(std::invoke(of, thing));
  return words;
}

/// What an error is about: a path.
struct About {
  std::string_view subject;
};

/// Throws Error with the message that the parts make.
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, joined(parts...));
}
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, About about, const Parts&... parts) {
  throw Error(code, std::string(about.subject), joined(parts...));
}

/// The same for content that is not as it should be: kInvalidFormat, about the path or place `source`.
template <typename... Parts>
[[noreturn]] void fail_format(const std::string& source, const Parts&... parts) {
  throw Error(ErrorCode::kInvalidFormat, source, joined(parts...));
}

/// The word of `known` that takes the fewest insertions, deletions, replacements and swaps of neighbours to get to from
/// `word`; nothing if even that one differs in more than a third of its letters (but one error is always forgiven).
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

/// The end of a message about `word`, which is none of `known`: "; did you mean `nearest`?", or else `otherwise`.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known, std::string_view otherwise = "");

}  // namespace byteformer::base
