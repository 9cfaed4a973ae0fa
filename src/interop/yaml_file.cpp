// A document that is walked only where it is asked.
#include "interop/yaml_file.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace byteformer::interop {

using base::excerpt;
using base::fail;
using base::fail_format;
using base::joined;

namespace {

constexpr std::size_t kMaxTextBytes = 1 << 20;
constexpr int kMaxKeys = 10'000;  // aliases may name a mapping again and again
constexpr int kMaxLevels = 32;    // or themselves
constexpr std::size_t kMaxPathBytes = 1'000;

/// Collects the nodes that `path` names below `node`. A key may itself be dotted: {a.b: {c: 1}} holds a.b.c.
void collect(const YAML::Node& node, std::string_view path, std::vector<YAML::Node>& found) {
  if (path.empty()) {
    found.push_back(node);
    return;
  }
  if (!node.IsMap()) return;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) continue;
    const std::string& key = entry.first.Scalar();
    if (path == key) {
      collect(entry.second, {}, found);
    } else if (!key.empty() && path.starts_with(key) && path[key.size()] == '.') {
      collect(entry.second, path.substr(key.size() + 1), found);
    }
  }
}

std::string kind_of(const YAML::Node& node) {
  if (node.IsScalar()) return "\"" + excerpt(node.Scalar()) + "\"";
  if (node.IsSequence()) return "a list of " + std::to_string(node.size());
  return node.IsMap() ? "a mapping" : "nothing";
}

/// "a, b or c; did you mean `b`?"
std::string expected_choice(const std::string& value, const std::vector<std::string>& known) {
  return base::list(known, ", ", " or ") + (known.size() == 1 ? "" : base::did_you_mean(value, known));
}

/// Walks through all keys of a configuration, however aliases tie it together.
class KeyWalk {
 public:
  explicit KeyWalk(const std::string& source) : source_(source) {}

  std::vector<YamlFile::Key> run(const YAML::Node& root) {
    enter(root, "", 0);
    return std::move(keys_);
  }

 private:
  void enter(const YAML::Node& section, const std::string& prefix, int level) {
    if (level > kMaxLevels || prefix.size() > kMaxPathBytes)
      fail_format(source_, excerpt(prefix), " lies too deep for a configuration");
    for (const auto& entry : section) {
      const int line = entry.first.Mark().line + 1;
      if (++num_visited_ > kMaxKeys) fail_format(source_, "has more than ", kMaxKeys, " keys, is it a configuration?");
      if (!entry.first.IsScalar())
        fail_format(source_, "line ", line, ": a key is ", kind_of(entry.first), ", expected a text");
      const std::string path = prefix + entry.first.Scalar();
      if (entry.second.IsMap())
        enter(entry.second, path + ".", level + 1);
      else
        keys_.push_back({path, line, entry.second.IsNull()});
    }
  }

  const std::string& source_;
  std::vector<YamlFile::Key> keys_;
  int num_visited_ = 0;
};

}  // namespace

YamlFile::YamlFile(std::string_view text, std::string source) : source_(std::move(source)) {
  if (text.size() > kMaxTextBytes)
    fail_format(source_, "has ", text.size(), " bytes, a configuration may have ", kMaxTextBytes);
  if (!base::is_utf8(text) || text.find('\0') != std::string_view::npos) fail_format(source_, "is not a text in UTF-8");
  try {
    root_ = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    fail_format(source_, "is not valid YAML: line ", error.mark.line + 1, ", column ", error.mark.column + 1, ": ",
                excerpt(error.msg));
  }
  if (!root_.IsMap()) fail_format(source_, "is ", kind_of(root_), ", expected a YAML mapping");
}

template <typename Convert>
auto YamlFile::converted(std::string_view path, const Convert& convert) const {
  const auto node = find(path);
  return node ? std::optional(convert(*node)) : std::nullopt;
}

template <typename Convert>
auto YamlFile::list(std::string_view path, const Convert& convert) const {
  return converted(path, [&](const YAML::Node& node) {
    if (!node.IsScalar() && !node.IsSequence()) refuse(path, node, "a list");
    std::vector<decltype(convert(node))> values;
    if (node.IsScalar())
      values.push_back(convert(node));
    else
      for (const YAML::Node& item : node) values.push_back(convert(item));
    return values;
  });
}

std::optional<std::string> YamlFile::text(std::string_view path) const {
  return converted(path, [&](const YAML::Node& node) { return scalar(path, node, "a text"); });
}

std::optional<std::int64_t> YamlFile::integer(std::string_view path) const {
  return converted(path, [&](const YAML::Node& node) { return as_integer(path, node); });
}

std::optional<std::int64_t> YamlFile::integer(std::string_view path, std::int64_t low, std::int64_t high) const {
  const auto value = integer(path);
  if (value && (*value < low || *value > high)) refuse(path, joined("an integer from ", low, " to ", high));
  return value;
}

std::optional<double> YamlFile::number(std::string_view path, double low, double high) const {
  return converted(path, [&](const YAML::Node& node) {
    double number = 0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, number) || !(number >= low && number <= high))
      refuse(path, node, joined("a number from ", low, " to ", high));
    return number;
  });
}

std::optional<bool> YamlFile::boolean(std::string_view path) const {
  return converted(path, [&](const YAML::Node& node) { return as_boolean(path, node); });
}

std::optional<std::vector<std::int64_t>> YamlFile::integers(std::string_view path) const {
  return list(path, [&](const YAML::Node& item) { return as_integer(path, item); });
}

std::optional<std::vector<bool>> YamlFile::booleans(std::string_view path) const {
  return list(path, [&](const YAML::Node& item) { return as_boolean(path, item); });
}

std::optional<std::vector<std::string>> YamlFile::texts(std::string_view path) const {
  return list(path, [&](const YAML::Node& item) { return scalar(path, item, "a list of texts"); });
}

std::optional<std::string> YamlFile::choice(std::string_view path, std::initializer_list<std::string_view> known,
                                            ErrorCode code) const {
  return choice(path, std::vector<std::string>(known.begin(), known.end()), code);
}

std::optional<std::string> YamlFile::choice(std::string_view path, std::span<const std::string> known,
                                            ErrorCode code) const {
  return converted(path, [&](const YAML::Node& node) {
    const std::string choice = base::lower_case(scalar(path, node, "a text"));
    if (std::ranges::find(known, choice) == known.end())
      refuse(path, node, expected_choice(choice, {known.begin(), known.end()}), code);
    return choice;
  });
}

std::vector<YamlFile> YamlFile::sections(std::string_view path) const {
  const auto node = find(path);
  if (!node) return {};
  if (!node->IsSequence()) refuse(path, *node, "a list of mappings");
  std::vector<YamlFile> sections;
  for (const YAML::Node& item : *node) {
    if (!item.IsMap()) refuse(path, item, "a list of mappings");
    sections.push_back(YamlFile(item, source_));
  }
  return sections;
}

std::vector<YamlFile::Key> YamlFile::keys() const { return KeyWalk(source_).run(root_); }

std::optional<YAML::Node> YamlFile::find(std::string_view path) const {
  asked_.emplace(path);
  std::vector<YAML::Node> found;
  collect(root_, path, found);
  if (found.size() > 1)
    fail_format(source_, "says ", path, " twice, in lines ", found[0].Mark().line + 1, " and ",
                found[1].Mark().line + 1);
  if (found.empty() || found[0].IsNull()) return std::nullopt;
  return found[0];
}

std::string YamlFile::scalar(std::string_view path, const YAML::Node& node, std::string_view expected) const {
  if (!node.IsScalar()) refuse(path, node, expected);
  return node.Scalar();
}

std::int64_t YamlFile::as_integer(std::string_view path, const YAML::Node& node) const {
  const std::string value = scalar(path, node, "an integer");
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end) refuse(path, node, "an integer");
  return number;
}

bool YamlFile::as_boolean(std::string_view path, const YAML::Node& node) const {
  bool value = false;
  scalar(path, node, "true or false");
  if (!YAML::convert<bool>::decode(node, value)) refuse(path, node, "true or false");
  return value;
}

void YamlFile::refuse(std::string_view path, std::string_view expected, ErrorCode code) const {
  refuse(path, find(path).value(), expected, code);
}

void YamlFile::refuse_absence(std::string_view path, std::string_view expected) const {
  const int line = std::max(0, root_.Mark().line) + 1;
  fail_format(source_, "line ", line, ": ", path, " is missing, expected ", expected);
}

void YamlFile::refuse(std::string_view path, const YAML::Node& node, std::string_view expected, ErrorCode code) const {
  fail(code, base::About{source_}, "line ", node.Mark().line + 1, ": ", path, " is ", kind_of(node), ", expected ",
       expected);
}

namespace {

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
      base::fail(ErrorCode::kInvalidFormat, unknown_key(yaml, path, line, yaml.asked()));
}

}  // namespace byteformer::interop
