// Reads back a JSON string strictly: the check that any parser can read what is written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace byteformer::test {

namespace detail {

inline std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(0, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

inline std::optional<char> simple_escape(char c) {
  const auto at = std::string_view("\"\\/bfnrt").find(c);
  if (at == std::string_view::npos) return std::nullopt;
  return "\"\\/\b\f\n\r\t"[at];
}

}  // namespace detail

/// The bytes that the JSON string `json` (quotes included) stands for; nothing if it is not strictly well-formed JSON
/// in UTF-8, or has a \u escape other than those of control characters.
inline std::optional<std::string> decode_json_string(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return std::nullopt;
  json = json.substr(1, json.size() - 2);
  std::string bytes;
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '\\') {
      const std::size_t length = base::utf8_sequence_length(json, i);
      if (length == 0 || json[i] == '"' || static_cast<unsigned char>(json[i]) < 0x20) return std::nullopt;
      bytes += json.substr(i, length);
      i += length;
      continue;
    }
    if (i + 1 == json.size()) return std::nullopt;
    if (json[i + 1] == 'u') {
      const auto code = detail::hex4(json.substr(i + 2));
      if (!code || *code >= 0x20) return std::nullopt;
      bytes += static_cast<char>(*code);
      i += 6;
    } else {
      const auto c = detail::simple_escape(json[i + 1]);
      if (!c) return std::nullopt;
      bytes += *c;
      i += 2;
    }
  }
  return bytes;
}

}  // namespace byteformer::test
