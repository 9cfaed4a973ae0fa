// Choosing validation files by the hashes of names.
#include "data/validation_split.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>

#include "base/random.hpp"

namespace byteformer::data {
namespace {

/// What a class has, and what goes to validation.
struct Share {
  std::int64_t num_files = 0;
  std::int64_t wanted = 0;
  std::int64_t chosen = 0;
};

using Shares = std::map<std::string, Share>;
using Choice = std::vector<bool>;  ///< for each file, whether it goes to validation

Shares shares_of(const std::vector<FoundFile>& files, double fraction) {
  Shares shares;
  for (const FoundFile& file : files) ++shares[file.class_name].num_files;
  for (auto& [name, share] : shares) {
    const auto rounded = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(share.num_files)));
    share.wanted = std::min(std::max<std::int64_t>(rounded, 1), share.num_files - 1);
  }
  return shares;
}

/// Indexes of `files` in the random order that their names and the seed make.
std::vector<std::size_t> hash_order(const std::vector<FoundFile>& files, std::uint64_t seed) {
  std::vector<std::tuple<std::uint64_t, std::string_view, double, std::size_t>> keys;
  for (std::size_t i = 0; i < files.size(); ++i)
    keys.emplace_back(hash_of(files[i].name, seed), files[i].name, files[i].start_s.value_or(0), i);
  std::ranges::sort(keys);
  std::vector<std::size_t> order;
  for (const auto& key : keys) order.push_back(std::get<3>(key));
  return order;
}

Choice choose_files(const std::vector<FoundFile>& files, Shares shares, std::uint64_t seed) {
  Choice choice(files.size());
  for (const std::size_t i : hash_order(files, seed)) {
    Share& share = shares.at(files[i].class_name);
    if (share.chosen == share.wanted) continue;
    ++share.chosen;
    choice[i] = true;
  }
  return choice;
}

/// Files that stay together, counted by class.
struct Group {
  std::vector<std::size_t> files;
  std::map<std::string, std::int64_t> counts;
};

/// Whether moving `group` brings the classes nearer to their shares and leaves each a training file.
bool fits(const Group& group, const Shares& shares) {
  std::int64_t gain = 0;
  for (const auto& [name, count] : group.counts) {
    const Share& share = shares.at(name);
    if (share.chosen + count >= share.num_files) return false;
    gain += std::abs(share.chosen - share.wanted) - std::abs(share.chosen + count - share.wanted);
  }
  return gain > 0;
}

/// Groups by speaker, in an order that is random but depends on their names only; nothing if too few files tell theirs.
std::vector<Group> speakers_of(const std::vector<FoundFile>& files, std::uint64_t seed) {
  std::map<std::pair<std::uint64_t, std::string>, Group> groups;
  std::size_t num_told = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto speaker = speaker_of(files[i].name, files[i].class_name);
    num_told += speaker ? 1 : 0;
    const std::string key = speaker ? "speaker " + *speaker : "file " + files[i].name;
    Group& group = groups[{hash_of(key, seed), key}];
    group.files.push_back(i);
    ++group.counts[files[i].class_name];
  }
  std::vector<Group> ordered;
  if (2 * num_told < files.size()) return ordered;
  for (auto& [key, group] : groups) ordered.push_back(std::move(group));
  return ordered;
}

std::optional<Choice> choose_speakers(const std::vector<FoundFile>& files, Shares shares, std::uint64_t seed) {
  Choice choice(files.size());
  for (const Group& group : speakers_of(files, seed)) {
    if (!fits(group, shares)) continue;
    for (const std::size_t i : group.files) choice[i] = true;
    for (const auto& [name, count] : group.counts) shares.at(name).chosen += count;
  }
  const bool is_complete = std::ranges::all_of(
      shares, [](const auto& share) { return share.second.chosen > 0 || share.second.wanted == 0; });
  if (!is_complete) return std::nullopt;
  return choice;
}

bool all_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

}  // namespace

std::uint64_t hash_of(std::string_view name, std::uint64_t seed) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a, whose weak low bits the generator then mixes
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return base::Random(seed, hash).bits();
}

std::optional<std::string> speaker_of(std::string_view name, std::string_view class_name) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kMark = "_nohash_";
  constexpr std::size_t kHashLength = 8;
  name = name.substr(name.rfind('/') + 1);
  if (const auto mark = name.rfind(kMark); mark != std::string_view::npos && mark >= kHashLength) {
    const std::string_view hash = name.substr(mark - kHashLength, kHashLength);
    const bool is_whole = mark == kHashLength || name[mark - kHashLength - 1] == '_';
    if (is_whole && all_of(hash, "0123456789abcdef")) return std::string(hash);
  }
  const std::string_view stem = name.substr(0, name.find('.'));
  if (!stem.starts_with(class_name) || !stem.substr(class_name.size()).starts_with('_')) return std::nullopt;
  const std::string_view rest = stem.substr(class_name.size() + 1);
  const auto last = rest.rfind('_');
  if (last == std::string_view::npos || last == 0 || !all_of(rest.substr(last + 1), kDigits)) return std::nullopt;
  return std::string(rest.substr(0, last));
}

std::string split_off_validation(std::vector<FoundFile>& train, std::vector<FoundFile>& validation, double fraction,
                                 std::uint64_t seed, bool by_speaker) {
  const Shares shares = shares_of(train, fraction);
  const auto speakers = by_speaker ? choose_speakers(train, shares, seed) : std::nullopt;
  const Choice choice = speakers ? *speakers : choose_files(train, shares, seed);
  std::vector<FoundFile> rest;
  for (std::size_t i = 0; i < train.size(); ++i) (choice[i] ? validation : rest).push_back(std::move(train[i]));
  train = std::move(rest);
  return speakers ? "speaker" : "file";
}

}  // namespace byteformer::data
