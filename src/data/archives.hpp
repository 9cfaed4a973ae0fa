// Tar archives as folders of files: which files they hold, where the bytes of these lie, the labels beside them; and
// archives written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "byteformer/error.hpp"
#include "data/data_set.hpp"

namespace byteformer::data {

/// A file in an archive.
struct ArchivedFile {
  std::string name;  ///< in the archive: "cat/0001.png"
  ArchivePlace place = {};
  std::optional<std::string> label = {};  ///< what 0001.cls or 0001.json beside it says
  std::string problem = {};               ///< why its bytes are not to be had, "is a link"; empty if they are
};

/// What an archive holds.
struct ArchiveListing {
  std::vector<ArchivedFile> files;   ///< in their order; folders and what systems leave behind are none
  std::optional<Error> damage = {};  ///< why there is no more; none where it was read to its end
  bool has_end = true;               ///< whether the mark stands at its end, without which it may have been cut
};

/// Ends the name of what holds the label of the file beside it, and nothing else.
inline constexpr const char* kClassEnding = ".cls";

/// Whether a file of this name may be an archive: .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz, .tar.zst, .tar.lz4.
bool is_archive_name(const std::filesystem::path& path);

/// The name of an archive without what says that it is one: "train-000" of "shards/train-000.tar.gz".
std::string archive_stem(const std::filesystem::path& path);

/// What WebDataset calls the key of a file: its name up to the first dot behind its folder.
std::string_view key_of(std::string_view name);

/// Lists an archive. One that is compressed is unpacked, to a file without a name in the folder of temporary files.
///
/// As WebDataset has it, files that follow one another and whose names agree up to the first dot belong together: .cls
/// and .json say what the other one is, and are no files of their own, and neither are .txt and .id beside a label. A
/// .json is read for a key `cls`, `label` or `class`, and counts where no .cls does. What is no file (a link, say), is
/// stored with holes, or has a name that leads out of the archive has a problem instead of a place.
/// \throws Error as base::InputFile; kUnsupported without libarchive; kIo where it cannot be unpacked.
ArchiveListing list_archive(const std::filesystem::path& path);

/// The paths that a pattern stands for: {000..099} is a row of numbers, {000..099..3} every third of it, {a,b} a choice
/// that may hold braces, and :: stands between patterns; then, where there is no such file, * and ? and [] are what is
/// there. A pattern without any of that is itself.
/// \throws Error kInvalidArgument where it stands for more than a million.
std::vector<std::filesystem::path> expand_pattern(const std::string& pattern);

/// Writes an archive of files, the same bytes for the same files.
class ArchiveWriter {
 public:
  /// \param append  takes the bytes of the archive \throws Error kUnsupported without libarchive
  explicit ArchiveWriter(std::function<void(std::span<const std::byte>)> append);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// \throws what `append` throws
  void add(const std::string& name, std::span<const std::uint8_t> bytes);
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace byteformer::data
