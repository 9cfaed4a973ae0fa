// Text for people: error messages joined from parts, and excerpts of input that nobody vouches for.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "byteformer/error.hpp"

namespace byteformer::format {

/// Whether `text` is well-formed UTF-8 (no surrogates, nothing overlong).
bool is_utf8(std::string_view text) noexcept;

/// `text` for an error message: at most about 60 bytes; control characters and broken UTF-8 as \xNN.
std::string excerpt(std::string_view text);

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

/// Throws Error with the message that the parts make.
template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, joined(parts...));
}

}  // namespace byteformer::format
