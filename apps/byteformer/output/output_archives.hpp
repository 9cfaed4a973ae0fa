// Archives that a command writes, one after another, each whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "media/image.hpp"

namespace byteformer::cli {

/// The name of an archive, or of a row of them, with a place for a number: "shards-%03d.tar".
class ArchiveNames {
 public:
  /// \throws UsageError where `pattern` is neither, or asks for a compressed archive.
  explicit ArchiveNames(const std::string& pattern);

  /// Whether there may be more than one.
  bool is_row() const noexcept { return is_row_; }
  std::filesystem::path name_of(std::size_t index) const;

 private:
  std::string before_, after_;
  std::size_t num_digits_ = 0;
  bool is_row_ = false;
};

/// A file for an archive.
struct ArchiveMember {
  std::string name;
  media::FileBytes bytes;
  std::optional<std::string> label = {};  ///< what is written beside it, as a .cls
};

/// The name of the file that says a member's label.
std::string label_name(const ArchiveMember& member);

/// Gives the next members, `most` at most; none after the last. `starts_archive`: whether they are its first.
using NextMembers = std::function<std::vector<ArchiveMember>(std::size_t most, bool starts_archive)>;

/// Whether an archive that stands where one is to be written, or removed, may be read yet.
using IsInput = std::function<bool(const std::filesystem::path& archive)>;

/// Writes members in their order, `most_per_archive` to each archive of a row; the same members make the same bytes.
/// \returns how many archives
/// \throws Error kAlreadyExists where an archive exists and is not to be overwritten, kInvalidArgument where it may be
/// an input; kIo, kPermissionDenied; and what `next` throws. Archives that are full stay.
std::size_t write_archives(const ArchiveNames& names, std::size_t most_per_archive, bool overwrites,
                           const IsInput& is_input, const NextMembers& next);

/// Removes what an earlier, longer row has from number `index` on, up to the first that is not there, since it would be
/// read as part of this one.
/// \returns those. \throws Error kPermissionDenied, kIo; kInvalidArgument where one may be an input
std::vector<std::filesystem::path> remove_rest_of_row(const ArchiveNames& names, std::size_t index,
                                                      const IsInput& is_input);

}  // namespace byteformer::cli
