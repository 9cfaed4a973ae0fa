// Typed keys of a JSON object: what is absent is nothing, what is of another type is an error that says what was
// expected.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::format {

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
