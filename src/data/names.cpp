// Reads the names that people give to splits, and composes Unicode.
#include "data/names.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace byteformer::data {
namespace {

constexpr auto kSplitWords = std::to_array<std::pair<std::string_view, Split>>({
    {"train", Split::kTrain},
    {"training", Split::kTrain},
    {"trn", Split::kTrain},
    {"val", Split::kValidation},
    {"valid", Split::kValidation},
    {"validate", Split::kValidation},
    {"validation", Split::kValidation},
    {"dev", Split::kValidation},
    {"development", Split::kValidation},
    {"test", Split::kTest},
    {"testing", Split::kTest},
    {"tst", Split::kTest},
    {"eval", Split::kTest},
    {"evaluation", Split::kTest},
    {"holdout", Split::kTest},
});

/// Words that say nothing beside the name of a split, alone ("test set") or grown together with it ("testset").
constexpr auto kFillers = std::to_array<std::string_view>(
    {"set",    "sets",  "data",   "dataset", "split", "images", "image", "imgs",   "img",       "pictures",
     "photos", "audio", "sounds", "samples", "files", "folder", "dir",   "subset", "partition", "part"});

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// Runs of letters or of digits, in lower case: {"val", "2017"}, {"public", "test"} of "PublicTest". Other bytes than
/// ASCII are letters.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  char before = ' ';
  for (const char c : name) {
    const bool is_letter = is_lower(c) || is_upper(c) || static_cast<unsigned char>(c) >= 0x80;
    if (is_letter || is_digit(c)) {
      const bool goes_on = before != ' ' && is_digit(c) == is_digit(before) && !(is_upper(c) && is_lower(before));
      if (!goes_on) words.emplace_back();
      words.back() += lower(c);
    }
    before = is_letter || is_digit(c) ? c : ' ';
  }
  return words;
}

bool is_filler(std::string_view word) { return std::ranges::find(kFillers, word) != kFillers.end(); }

std::optional<Split> split_of_word(std::string_view word) {
  for (const auto& [name, split] : kSplitWords) {
    if (word == name) return split;
    if (word.starts_with(name) && is_filler(word.substr(name.size()))) return split;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Split split) noexcept {
  constexpr std::array<std::string_view, 3> kNames = {"training", "validation", "test"};
  return kNames[static_cast<std::size_t>(split)];
}

std::string_view purpose(Split split) noexcept {
  constexpr std::array<std::string_view, 3> kPurposes = {"to train on", "for validation", "for test"};
  return kPurposes[static_cast<std::size_t>(split)];
}

std::optional<SplitName> split_name(std::string_view name) {
  std::optional<Split> split;
  std::string rest;
  for (const std::string& word : words_of(name)) {
    if (const auto named = split_of_word(word)) {
      if (split && *split != *named) return std::nullopt;
      split = named;
    } else if (!is_filler(word)) {
      rest += (rest.empty() ? "" : "_") + word;
    }
  }
  if (!split) return std::nullopt;
  return SplitName{*split, rest};
}

std::optional<Split> split_of(std::string_view name) {
  const auto found = split_name(name);
  return found && found->rest.empty() ? std::optional(found->split) : std::nullopt;
}

std::string plain_name(std::string_view name) {
  const auto first = name.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  name = name.substr(first, name.find_last_not_of(" \t") - first + 1);
  std::string plain;
  for (const char c : name) plain += c == ' ' || c == '-' || c == '.' ? '_' : lower(c);
  return plain;
}

std::string composed(std::string_view name) {
  const bool is_ascii = std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) return std::string(name);
  utf8proc_uint8_t* text = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(name.data()), static_cast<utf8proc_ssize_t>(name.size()),
                   &text, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (length == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(text, std::free);
  if (length < 0) return std::string(name);
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)};
}

}  // namespace byteformer::data
