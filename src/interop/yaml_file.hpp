// A YAML text from outside, asked for values by dotted paths.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::interop {

/// Every method returns nothing where the key is absent or null, and throws Error kInvalidFormat naming the source, the
/// line, the key, what was expected and what was found. Aliases are followed only along the path that is asked for, so
/// they cannot multiply.
class YamlFile {
 public:
  /// \throws Error kInvalidFormat, with the line, for a syntax error or a text that is too long or not UTF-8.
  YamlFile(std::string_view text, std::string source);

  std::optional<std::string> text(std::string_view path) const;
  std::optional<std::int64_t> integer(std::string_view path) const;
  std::optional<bool> boolean(std::string_view path) const;

  /// A list; a single value counts as a list of one.
  std::optional<std::vector<std::int64_t>> integers(std::string_view path) const;
  std::optional<std::vector<bool>> booleans(std::string_view path) const;

  const std::string& source() const noexcept { return source_; }

 private:
  std::optional<YAML::Node> find(std::string_view path) const;
  std::vector<YAML::Node> items(std::string_view path, const YAML::Node& node) const;
  std::string scalar(std::string_view path, const YAML::Node& node, std::string_view expected) const;
  std::int64_t as_integer(std::string_view path, const YAML::Node& node) const;
  bool as_boolean(std::string_view path, const YAML::Node& node) const;
  [[noreturn]] void refuse(std::string_view path, const YAML::Node& node, std::string_view expected) const;

  std::string source_;
  YAML::Node root_;
};

}  // namespace byteformer::interop
