// Numbers archives, and opens the next when one is full.
#include "output/output_archives.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "data/archives.hpp"
#include "exit_status.hpp"
#include "output/output_files.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kMembersAtOnce = 64;
constexpr std::size_t kMostDigits = 9;

void add(const ArchiveMember& member, data::ArchiveWriter& archive) {
  archive.add(member.name, member.bytes);
  if (!member.label) return;
  const std::vector<std::uint8_t> label(member.label->begin(), member.label->end());
  archive.add(label_name(member), label);
}

}  // namespace

std::string label_name(const ArchiveMember& member) {
  return std::string(data::key_of(member.name)) + data::kClassEnding;
}

ArchiveNames::ArchiveNames(const std::string& pattern) {
  if (!base::lower_case(pattern).ends_with(".tar"))
    throw UsageError("archives are written as they are read fastest, uncompressed: `" + pattern +
                     "` should end in .tar");
  const std::size_t percent = pattern.find('%');
  before_ = pattern.substr(0, percent);
  if (percent == std::string::npos) return;
  is_row_ = true;
  const std::size_t letter = pattern.find_first_not_of("0123456789", percent + 1);
  const std::string digits = pattern.substr(percent + 1, letter - percent - 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), num_digits_);
  after_ = pattern.substr(letter + 1);
  const bool is_number = pattern[letter] == 'd' && (digits.empty() || digits.front() == '0');
  if (!is_number || num_digits_ > kMostDigits || after_.find('%') != std::string::npos)
    throw UsageError("`" + pattern + "` is no name of a row of archives; expected one place for a number, as in " +
                     "shards-%03d.tar");
}

std::filesystem::path ArchiveNames::name_of(std::size_t index) const {
  if (!is_row_) return before_;
  const std::string digits = std::to_string(index);
  return before_ + std::string(num_digits_ - std::min(num_digits_, digits.size()), '0') + digits + after_;
}

std::size_t write_archives(const ArchiveNames& names, std::size_t most_per_archive, bool overwrites,
                           const IsInput& is_input, const NextMembers& next) {
  if (!names.is_row()) most_per_archive = std::numeric_limits<std::size_t>::max();
  std::vector<ArchiveMember> members = next(std::min(kMembersAtOnce, most_per_archive), true);
  std::size_t index = 0;
  for (; !members.empty(); ++index) {
    const std::filesystem::path path = names.name_of(index);
    check_overwriting({}, path, overwrites);
    refuse_to_replace_input(path, is_input);
    const auto write = [&](const std::function<void(std::span<const std::byte>)>& append) {
      data::ArchiveWriter archive(append);
      for (std::size_t room = most_per_archive; !members.empty();) {
        for (const ArchiveMember& member : members) add(member, archive);
        room -= members.size();
        if (room == 0) break;
        members = next(std::min(kMembersAtOnce, room), false);
      }
      archive.finish();
    };
    base::write_file_atomically(path, write, {.replaces = overwrites});
    if (!members.empty()) members = next(std::min(kMembersAtOnce, most_per_archive), true);
  }
  return index;
}

std::vector<std::filesystem::path> remove_rest_of_row(const ArchiveNames& names, std::size_t index,
                                                      const IsInput& is_input) {
  std::vector<std::filesystem::path> removed;
  for (; names.is_row() && base::is_file(names.name_of(index)); ++index) {
    refuse_to_replace_input(names.name_of(index), is_input);
    std::error_code error;
    if (!std::filesystem::remove(names.name_of(index), error))
      base::fail(ErrorCode::kIo, base::About{names.name_of(index).native()}, "is left of an earlier row and cannot be ",
                 "removed: ", error.message());
    removed.push_back(names.name_of(index));
  }
  return removed;
}

}  // namespace byteformer::cli
