// Finds keys that nobody asked for, and what they may have meant.
#include "interop/yaml_keys.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "format/text.hpp"

namespace byteformer::interop {
namespace {

using format::excerpt;
using format::joined;

/// The names that may follow `prefix`, which is empty or ends in a dot.
std::vector<std::string> names_below(const Paths& known, std::string_view prefix) {
  std::vector<std::string> names;
  for (const std::string& path : known)
    if (path.starts_with(prefix))
      names.push_back(path.substr(prefix.size(), path.find('.', prefix.size()) - prefix.size()));
  return names;
}

/// "; did you mean x.y?" where the first name that is not known resembles one that could stand in its place.
std::string suggestion(const Paths& known, const std::string& path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    const std::vector<std::string> names = names_below(known, std::string_view(path).substr(0, begin));
    if (std::ranges::find(names, name) == names.end()) {
      const auto nearest = base::nearest_word(name, names);
      return nearest ? joined("; did you mean ", excerpt(path.substr(0, begin) + *nearest), '?') : "";
    }
    begin = end + 1;
  }
  return "; it holds further keys, and has no value of its own";
}

}  // namespace

std::string unknown_key(const YamlFile& yaml, const std::string& path, int line, const Paths& known) {
  return joined(yaml.source(), ": line ", line, ": ", excerpt(path), " is not known here", suggestion(known, path));
}

void require_known_keys(const YamlFile& yaml) {
  for (const auto& [path, line, is_null] : yaml.keys())
    if (!yaml.asked().contains(path))
      format::fail(ErrorCode::kInvalidFormat, unknown_key(yaml, path, line, yaml.asked()));
}

}  // namespace byteformer::interop
