// What braces and wildcards in the name of a data set stand for.
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "data/archives.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPaths = 1'000'000;

/// The numbers of "000..099", as wide as the wider of both ends if that begins with a zero; nothing if it is no row.
std::vector<std::string> numbers_of(const std::string& text, const std::string& pattern) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return {};
  const std::string first_text = text.substr(0, dots), last_text = text.substr(dots + 2);
  std::size_t first = 0, last = 0;
  for (const auto& [digits, number] : {std::pair(&first_text, &first), {&last_text, &last}}) {
    const auto [end, error] = std::from_chars(digits->data(), digits->data() + digits->size(), *number);
    if (error != std::errc{} || end != digits->data() + digits->size()) return {};
  }
  if (last < first || last - first >= kMostPaths)
    base::fail(ErrorCode::kInvalidArgument, base::About{pattern}, "{", text, "} is no row of up to ", kMostPaths,
               " numbers");
  const bool is_padded = first_text.starts_with('0') || last_text.starts_with('0');
  const std::size_t width = is_padded ? std::max(first_text.size(), last_text.size()) : 0;
  std::vector<std::string> numbers;
  for (std::size_t i = first; i <= last; ++i) {
    const std::string digits = std::to_string(i);
    numbers.push_back(std::string(width - std::min(width, digits.size()), '0') + digits);
  }
  return numbers;
}

std::vector<std::string> choices_of(const std::string& text) {
  std::vector<std::string> choices;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    choices.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return choices;
}

/// `pattern` for each of what its first braces hold, and so on.
std::vector<std::string> without_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {pattern};
  const std::string inner = pattern.substr(open + 1, close - open - 1);
  std::vector<std::string> parts = numbers_of(inner, pattern);
  if (parts.empty()) parts = choices_of(inner);
  const std::vector<std::string> rests = without_braces(pattern.substr(close + 1));
  if (parts.size() * rests.size() > kMostPaths)
    base::fail(ErrorCode::kInvalidArgument, base::About{pattern}, "stands for more than ", kMostPaths, " files");
  std::vector<std::string> all;
  for (const std::string& part : parts)
    for (const std::string& rest : rests) all.push_back(pattern.substr(0, open) + part + rest);
  return all;
}

}  // namespace

std::vector<fs::path> expand_pattern(const std::string& pattern) {
  if (base::exists(pattern)) return {pattern};
  std::vector<fs::path> paths;
  for (const std::string& name : without_braces(pattern)) {
    glob_t found{};
    // Without any match the name itself, whose reader says that it is not there.
    if (::glob(name.c_str(), GLOB_NOCHECK, nullptr, &found) == 0)
      for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
  }
  return paths;
}

}  // namespace byteformer::data
