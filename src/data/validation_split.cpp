// Choosing validation files by the hashes of names.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <tuple>

#include "base/random.hpp"
#include "data/layouts.hpp"

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

/// Whose file it is, where its name tells and `by_speaker` asks.
std::optional<std::string> owner_of(const FoundFile& file, bool by_speaker) {
  return by_speaker ? speaker_of(file.name, file.class_name) : std::nullopt;
}

/// Files of a speaker together, others each alone (but all clips of a file, where speakers are asked for), in an order
/// that is random but depends on names and seed only.
std::vector<Group> groups_of(const std::vector<FoundFile>& files, std::uint64_t seed, bool by_speaker) {
  std::vector<std::tuple<std::uint64_t, std::string, double, std::size_t>> keys;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto speaker = owner_of(files[i], by_speaker);
    const std::string key = speaker ? "speaker " + *speaker : (by_speaker ? "file " : "") + files[i].name;
    keys.emplace_back(hash_of(key, seed), key, files[i].start_s.value_or(0), i);
  }
  std::ranges::sort(keys);
  std::vector<Group> groups;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const std::size_t file = std::get<3>(keys[k]);
    if (k == 0 || !by_speaker || std::get<1>(keys[k]) != std::get<1>(keys[k - 1])) groups.emplace_back();
    groups.back().files.push_back(file);
    ++groups.back().counts[files[file].class_name];
  }
  return groups;
}

bool most_tell_their_speaker(const std::vector<FoundFile>& files) {
  const auto tells = [](const FoundFile& file) { return owner_of(file, true).has_value(); };
  return 2 * static_cast<std::size_t>(std::ranges::count_if(files, tells)) >= files.size();
}

/// Moves groups as long as they fit; nothing if a class gets no file that should get some.
std::optional<Choice> choose(const std::vector<FoundFile>& files, const std::vector<Group>& groups, Shares shares) {
  Choice choice(files.size());
  for (const Group& group : groups) {
    if (!fits(group, shares)) continue;
    for (const std::size_t i : group.files) choice[i] = true;
    for (const auto& [name, count] : group.counts) shares.at(name).chosen += count;
  }
  const bool is_complete = std::ranges::all_of(
      shares, [](const auto& share) { return share.second.chosen > 0 || share.second.wanted == 0; });
  return is_complete ? std::optional(choice) : std::nullopt;
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
  std::optional<Choice> choice;
  if (by_speaker && most_tell_their_speaker(train)) choice = choose(train, groups_of(train, seed, true), shares);
  const bool is_by_speaker = choice.has_value();
  if (!choice) choice = choose(train, groups_of(train, seed, false), shares);
  std::vector<FoundFile> rest;
  for (std::size_t i = 0; i < train.size(); ++i) ((*choice)[i] ? validation : rest).push_back(std::move(train[i]));
  train = std::move(rest);
  return is_by_speaker ? "speaker" : "file";
}

}  // namespace byteformer::data
