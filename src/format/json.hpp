// Strict JSON: what comes from outside is parsed with limits, duplicate keys are errors, and typed keys of an object
// say what was expected where they are of another type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace byteformer::format {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// Bounds on what a text may make us build: a value costs far more memory than the two bytes that it may take to write.
struct JsonLimits {
  std::size_t max_depth = 64;
  std::size_t max_values = 4'000'000;
};

/// Parses `text`; `source` stands in messages.
/// \throws Error kInvalidFormat, with line and column, for a syntax error, text after the end, a byte that is not
///         UTF-8, a number out of range, a key that stands twice in one object, or more than `limits` allow.
Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits = {});

/// What `value` is, for a message: `the string "abc"`, `1.5`, `an array of 3`.
std::string description(const Json& value);

/// JSON of a value whose strings and keys may be any bytes, as paths are: for what our programs keep for themselves and
/// tell each other. \see base::escape_bytes
std::string to_text(const Json& value, int indent = -1);
std::string to_text(const OrderedJson& value, int indent = -1);

/// The value that to_text() made `text` of.
/// \throws nlohmann::json::exception where it is no JSON.
template <typename Value = Json>
Value from_text(std::string_view text);

/// `text` as a JSON string with its quotes.
/// \throws Error kInvalidModel if it is not UTF-8.
std::string json_string(std::string_view text);

/// `"a", "b" or "c"`, by to_string() of each.
template <typename Enum>
std::string names_of(std::span<const Enum> known) {
  std::vector<std::string> names;
  for (const Enum value : known) names.push_back(base::joined('"', to_string(value), '"'));
  return base::list(names, ", ", " or ");
}

/// Where a JSON object stands: it is all of a file, or a part of one.
enum class JsonPlace { kFile, kPart };

/// One JSON object, which has to outlive this. Every method but the constructor and refuse() returns nothing where the
/// key is absent, and throws as refuse() does where the value is of another type.
class JsonKeys {
 public:
  /// \param name  in messages: a path, or of a part "config.json: preprocess.image"
  /// \throws Error kInvalidFormat if `object` is no object.
  JsonKeys(const Json& object, std::string name, JsonPlace place);

  const std::string& name() const noexcept { return name_; }

  const Json* find(std::string_view key) const;
  std::optional<std::string> string(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;

  /// The elements of an array.
  const std::vector<Json>* array(std::string_view key, std::string_view expected) const;

  /// The keys of an object.
  std::optional<JsonKeys> object(std::string_view key) const;

  /// The one of `known` whose to_string() the value is.
  template <typename Enum>
  std::optional<Enum> named(std::string_view key, std::span<const Enum> known) const {
    const auto name = string(key);
    for (const Enum value : known)
      if (name == to_string(value)) return value;
    if (name) refuse(key, names_of(known));
    return std::nullopt;
  }

  /// \throws Error kInvalidFormat: "config.json: KEY is 3, expected EXPECTED", or "KEY is missing, ..."
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

  /// The same of a value further inside: "KEY[2]".
  [[noreturn]] void refuse(std::string_view place, std::string_view expected, const Json& found) const;

 private:
  [[noreturn]] void fail(std::string_view key, std::string_view what, std::string_view expected) const;

  const Json& object_;
  std::string name_;
  JsonPlace place_;
};

/// `value` as an integer; nothing if it is none, or beyond 64 bits with sign.
std::optional<std::int64_t> as_integer(const Json& value);

}  // namespace byteformer::format
