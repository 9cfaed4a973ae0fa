// Implementation of json.hpp.
#include "output/json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "output/utf8.hpp"

namespace byteformer::cli {
namespace {

void append_unicode_escape(std::string& out, std::string_view high_byte, unsigned char low_byte) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u").append(high_byte);
  out += kHex[low_byte >> 4];
  out += kHex[low_byte & 15];
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    append_unicode_escape(out, "00", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

template <typename T>
void append_shortest(std::string& out, T value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = utf8_sequence_length(bytes, i);
    if (length == 0) {
      append_unicode_escape(out, "dc", static_cast<unsigned char>(bytes[i]));
    } else if (length == 1) {
      append_ascii(out, bytes[i]);
    } else {
      out += bytes.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  out += '"';
}

void append_json_number(std::string& out, float value) { append_shortest(out, value); }
void append_json_number(std::string& out, double value) { append_shortest(out, value); }

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(text_, name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(std::span<const float> numbers) {
  begin_array();
  for (const float number : numbers) value(number);
  return end_array();
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::literal(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

void JsonWriter::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

}  // namespace byteformer::cli
