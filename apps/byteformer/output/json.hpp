// A writer of compact JSON: keys in the order they are given, numbers that read back to the same value.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace byteformer::cli {

/// Appends `text` to `out` as a JSON string, quotes included. What is no UTF-8 in it is escaped, so that any parser can
/// read the line; what is to be read back exactly, as a path, must come from base::escape_bytes().
void append_json_string(std::string& out, std::string_view text);

/// Appends the shortest decimal number that reads back to the same float or double; `null` if it is not finite.
void append_json_number(std::string& out, float value);
void append_json_number(std::string& out, double value);

/// Builds one JSON value in memory. The caller balances begin and end.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::same_as<bool> auto truth) { return literal(truth ? "true" : "false"); }
  JsonWriter& value(std::integral auto number) requires(!std::same_as<decltype(number), bool>) {
    return literal(std::to_string(number));
  }
  JsonWriter& value(std::floating_point auto number) {
    separate();
    append_json_number(text_, number);
    return *this;
  }

  /// null for nothing.
  template <typename T>
  JsonWriter& value(const std::optional<T>& known) {
    return known ? value(*known) : literal("null");
  }

  /// An array of `items`, or of what `write(item)` writes of each.
  template <typename Items, typename Write>
  JsonWriter& array(const Items& items, const Write& write) {
    begin_array();
    for (const auto& item : items) write(item);
    return end_array();
  }
  template <typename Items>
  JsonWriter& array(const Items& items) {
    return array(items, [&](const auto& item) { value(item); });
  }

  /// A value that is JSON already.
  JsonWriter& json(std::string_view value) { return literal(value); }

  template <typename T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  const std::string& text() const noexcept { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& literal(std::string_view text);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace byteformer::cli
