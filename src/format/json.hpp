// Strict JSON: what comes from outside is parsed with limits, and duplicate keys are errors.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

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

}  // namespace byteformer::format
