// What the layouts of data sets have in common: the files they find, before classes get their numbers.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_set.hpp"

namespace byteformer::data {

/// One file that a layout found.
struct FoundFile {
  std::filesystem::path path;
  std::string name;  ///< path relative to the data set, as it stands there: what the split depends on
  std::string class_name;
  std::optional<double> start_s;
};

/// The files of a data set, each list in any order.
struct FoundFiles {
  Layout layout = Layout::kFolderPerClass;
  std::vector<FoundFile> train, validation, test;
  std::vector<std::string> empty_classes;  ///< folders of training classes that hold no file
  std::vector<std::filesystem::path> background;
  std::vector<std::string> remarks;
};

/// Counts what a search passed over, one remark a reason.
class Skipped {
 public:
  void add(std::string_view reason, const std::filesystem::path& path);

  /// "skipped empty files (3), for example /data/a.wav", in the order of the reasons.
  void append_to(std::vector<std::string>& remarks) const;

 private:
  struct Entry {
    std::size_t count = 0;
    std::filesystem::path first;  ///< in the order of paths, whatever the order of the search
  };
  std::map<std::string, Entry, std::less<>> reasons_;
};

/// Entries of `folder` whose names do not start with a dot, sorted by name.
/// \throws Error kPermissionDenied or kIo.
std::vector<std::filesystem::path> visible_entries(const std::filesystem::path& folder, Skipped& skipped);

/// All regular files below `folder` that hold at least a byte. Links are followed; every real folder is entered once.
/// \throws Error kPermissionDenied or kIo.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder, Skipped& skipped);

/// `unknown` for `_unknown_`, `background` for `_silence_` and `_background_noise_`; other names as they are.
std::string class_of_folder(std::string_view name);

bool is_split_folders(const std::filesystem::path& root);
FoundFiles find_split_folders(const std::filesystem::path& root);
FoundFiles find_class_folders(const std::filesystem::path& root);

bool is_manifest_folder(const std::filesystem::path& root);
FoundFiles find_manifest_folder(const std::filesystem::path& root);
FoundFiles find_manifest(const std::filesystem::path& manifest);

bool is_speech_commands_archive(const std::filesystem::path& root);
FoundFiles find_speech_commands_archive(const std::filesystem::path& root);

}  // namespace byteformer::data
