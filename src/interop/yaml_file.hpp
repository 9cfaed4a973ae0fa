// A YAML text from outside, asked for values by dotted paths, and which of its keys nobody knows.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "byteformer/error.hpp"

namespace byteformer::interop {

/// Every method returns nothing where the key is absent or null, and throws Error kInvalidFormat naming the source, the
/// line, the key, what was expected and what was found. Aliases are followed only along the path that is asked for, so
/// they cannot multiply. One thread at a time: it remembers what it was asked for.
class YamlFile {
 public:
  /// \throws Error kInvalidFormat, with the line, for a syntax error or a text that is too long or not UTF-8.
  YamlFile(std::string_view text, std::string source);

  std::optional<std::string> text(std::string_view path) const;
  std::optional<std::int64_t> integer(std::string_view path) const;
  std::optional<std::int64_t> integer(std::string_view path, std::int64_t low, std::int64_t high) const;
  std::optional<double> number(std::string_view path, double low, double high) const;  ///< bounds are inclusive
  std::optional<bool> boolean(std::string_view path) const;

  /// A list; a single value counts as a list of one.
  std::optional<std::vector<std::int64_t>> integers(std::string_view path) const;
  std::optional<std::vector<bool>> booleans(std::string_view path) const;
  std::optional<std::vector<std::string>> texts(std::string_view path) const;

  /// A text in lower case, as the published code ignores case.
  /// \throws Error with `code`, naming the nearest, if it is none of `known`.
  std::optional<std::string> choice(std::string_view path, std::initializer_list<std::string_view> known,
                                    ErrorCode code = ErrorCode::kUnsupported) const;
  std::optional<std::string> choice(std::string_view path, std::span<const std::string> known, ErrorCode code) const;

  /// A list of mappings, each to be asked like a file of its own; their keys are no keys of this one.
  std::vector<YamlFile> sections(std::string_view path) const;

  struct Key {
    std::string path;      ///< dotted
    int line = 0;          ///< from 1
    bool is_null = false;  ///< stands there, and says nothing
  };

  /// Every key whose value is no mapping, in the order of the text.
  /// \throws Error kInvalidFormat for a key that is no text, and for more keys or levels than a configuration has.
  std::vector<Key> keys() const;

  /// The paths by which values were asked for, whether they are there or not.
  const std::set<std::string, std::less<>>& asked() const noexcept { return asked_; }

  /// \throws Error with `code` for the value at `path`, which must be there.
  [[noreturn]] void refuse(std::string_view path, std::string_view expected,
                           ErrorCode code = ErrorCode::kInvalidFormat) const;

  /// \throws Error kInvalidFormat saying that there is nothing at `path`, and what is expected there.
  [[noreturn]] void refuse_absence(std::string_view path, std::string_view expected) const;

  const std::string& source() const noexcept { return source_; }

 private:
  YamlFile(const YAML::Node& root, std::string source) : source_(std::move(source)), root_(root) {}

  std::optional<YAML::Node> find(std::string_view path) const;
  /// What `convert` makes of the value at `path`, or of each item there.
  template <typename Convert>
  auto converted(std::string_view path, const Convert& convert) const;
  template <typename Convert>
  auto list(std::string_view path, const Convert& convert) const;
  std::string scalar(std::string_view path, const YAML::Node& node, std::string_view expected) const;
  std::int64_t as_integer(std::string_view path, const YAML::Node& node) const;
  bool as_boolean(std::string_view path, const YAML::Node& node) const;
  [[noreturn]] void refuse(std::string_view path, const YAML::Node& node, std::string_view expected,
                           ErrorCode code = ErrorCode::kInvalidFormat) const;

  std::string source_;
  YAML::Node root_;
  mutable std::set<std::string, std::less<>> asked_;
};

/// Dotted paths.
using Paths = std::set<std::string, std::less<>>;

/// "run.yaml: line 3: optim.nme is not known here; did you mean optim.name?": what to say of a key that is none of
/// `known`.
std::string unknown_key(const YamlFile& yaml, const std::string& path, int line, const Paths& known);

/// \throws Error kInvalidFormat, as unknown_key() says, for the first key that `yaml` was never asked for, even one
///         without a value. To be called when everything has been asked for.
void require_known_keys(const YamlFile& yaml);

}  // namespace byteformer::interop
