// What braces and wildcards in the name of a data set stand for.
#include <glob.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "data/archives.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPaths = 1'000'000;

[[noreturn]] void refuse_row(const std::string& text, const std::string& pattern) {
  base::fail(ErrorCode::kInvalidArgument, base::About{pattern}, "{", text, "} is no row of up to ", kMostPaths,
             " numbers");
}

/// `text` at each `separator` that is in no braces.
std::vector<std::string> parts_of(const std::string& text, std::string_view separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (depth == 0 && std::string_view(text).substr(i).starts_with(separator)) {
      parts.emplace_back();
      i += separator.size() - 1;
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

/// The numbers of "000..099", or of "000..099..3", as wide as the wider of both ends if one has zeros in front; nothing
/// if it is no row.
std::vector<std::string> numbers_of(const std::string& text, const std::string& pattern) {
  const std::vector<std::string> ends = parts_of(text, "..");
  if (ends.size() != 2 && ends.size() != 3) return {};
  std::vector<std::size_t> numbers;
  for (const std::string& digits : ends) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), numbers.emplace_back());
    if (error == std::errc::result_out_of_range) refuse_row(text, pattern);
    if (error != std::errc{} || end != digits.data() + digits.size()) return {};
  }
  const std::size_t first = numbers[0], last = numbers[1], step = numbers.size() == 3 ? numbers[2] : 1;
  const std::size_t length = first < last ? last - first : first - last;
  if (step == 0 || length / step >= kMostPaths) refuse_row(text, pattern);
  const auto is_padded = [](const std::string& digits) { return digits.size() > 1 && digits.front() == '0'; };
  const std::size_t width = is_padded(ends[0]) || is_padded(ends[1]) ? std::max(ends[0].size(), ends[1].size()) : 0;
  std::vector<std::string> row;
  for (std::size_t i = 0; i <= length; i += step) {
    const std::string digits = std::to_string(first < last ? first + i : first - i);
    row.push_back(std::string(width - std::min(width, digits.size()), '0') + digits);
  }
  return row;
}

/// Where the braces end that begin at `open`; std::string::npos if they do not.
std::size_t end_of_braces(const std::string& pattern, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < pattern.size(); ++i) {
    depth += pattern[i] == '{' ? 1 : pattern[i] == '}' ? -1 : 0;
    if (depth == 0) return i;
  }
  return std::string::npos;
}

/// `pattern` for each of what its first braces hold, which may hold braces, and so on.
std::vector<std::string> without_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = open == std::string::npos ? open : end_of_braces(pattern, open);
  if (close == std::string::npos) return {pattern};
  const std::string inner = pattern.substr(open + 1, close - open - 1);
  std::vector<std::string> parts = numbers_of(inner, pattern);
  if (parts.empty())
    for (const std::string& choice : parts_of(inner, ","))
      for (std::string& part : without_braces(choice)) parts.push_back(std::move(part));
  const std::vector<std::string> rests = without_braces(pattern.substr(close + 1));
  if (parts.size() * rests.size() > kMostPaths)
    base::fail(ErrorCode::kInvalidArgument, base::About{pattern}, "stands for more than ", kMostPaths, " files");
  std::vector<std::string> all;
  for (const std::string& part : parts)
    for (const std::string& rest : rests) all.push_back(pattern.substr(0, open) + part + rest);
  return all;
}

void append_matches(const std::string& pattern, std::vector<fs::path>& paths) {
  for (const std::string& name : without_braces(pattern)) {
    glob_t found{};
    // Without any match the name itself, whose reader says that it is not there.
    if (::glob(name.c_str(), GLOB_NOCHECK, nullptr, &found) == 0)
      for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
  }
}

}  // namespace

std::vector<fs::path> expand_pattern(const std::string& pattern) {
  if (base::exists(pattern)) return {pattern};
  std::vector<fs::path> paths;
  for (const std::string& part : parts_of(pattern, "::")) append_matches(part, paths);
  return paths;
}

}  // namespace byteformer::data
