// What the layouts of data sets have in common: the files they find, before classes get their numbers; and how a
// validation set is split off them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "data/data_set.hpp"
#include "data/names.hpp"

namespace byteformer::data {

/// How many names a message lists before it only counts them.
inline constexpr std::size_t kMaxNamed = 10;

/// One file that a layout found.
struct FoundFile {
  std::filesystem::path path;
  std::string name;  ///< path relative to the data set, as it stands there: what the split depends on
  std::string class_name;
  std::optional<double> start_s = {}, duration_s = {};  ///< of a clip
  std::optional<ArchivePlace> place = {};               ///< of a file in an archive
};

/// Counts what a search passed over: however much it is, one remark per reason.
class Skipped {
 public:
  void add(std::string_view reason, const std::filesystem::path& path);

  /// "skipped empty files (13), for example /data/a.wav, /data/b.wav, /data/c.wav", in the order of the reasons.
  void append_to(std::vector<std::string>& remarks) const;

  void merge(const Skipped& other);

 private:
  struct Entry {
    std::size_t count = 0;
    std::set<std::filesystem::path> first;  ///< a few, in the order of paths, whatever the order of the search

    void name(const std::filesystem::path& path);
  };
  std::map<std::string, Entry, std::less<>> reasons_;
};

/// The files of a data set, each list in any order.
struct FoundFiles {
  Layout layout = Layout::kFolderPerClass;
  std::vector<FoundFile> train, validation, test;
  std::vector<std::string> empty_classes;  ///< folders of training classes that hold no file
  std::vector<std::filesystem::path> background;
  std::set<std::filesystem::path> lists;  ///< of labels that were read
  std::vector<std::string> remarks;
  Skipped skipped;

  std::vector<FoundFile>& of(Split split) {
    return split == Split::kTrain ? train : split == Split::kValidation ? validation : test;
  }
};

using base::is_file;
using base::is_folder;

/// The folders of a data set, wherever they lie: on a disk, or in archives.
class Tree {
 public:
  virtual ~Tree() = default;

  virtual const std::filesystem::path& root() const = 0;
  /// The folders in `folder`, sorted by name.
  virtual std::vector<std::filesystem::path> folders(const std::filesystem::path& folder) const = 0;
  /// What lies in `folder` itself and is no folder, sorted by name.
  virtual std::vector<std::filesystem::path> others(const std::filesystem::path& folder, Skipped& skipped) const = 0;
  /// All files below `folder` that hold at least a byte, still without a class; they are handed out once.
  virtual std::vector<FoundFile> take_files_below(const std::filesystem::path& folder, Skipped& skipped) = 0;
  /// Whether a list of labels lies in `folder` itself; and the files in it that such a list names, as find_listed().
  virtual bool has_list(const std::filesystem::path& folder) const = 0;
  virtual std::optional<std::vector<FoundFile>> listed(const std::filesystem::path& folder, Split split,
                                                       FoundFiles& found) const = 0;
};

/// A folder on a disk.
class Disk final : public Tree {
 public:
  explicit Disk(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const override { return root_; }
  std::vector<std::filesystem::path> folders(const std::filesystem::path& folder) const override;
  std::vector<std::filesystem::path> others(const std::filesystem::path& folder, Skipped& skipped) const override;
  std::vector<FoundFile> take_files_below(const std::filesystem::path& folder, Skipped& skipped) override;
  bool has_list(const std::filesystem::path& folder) const override;
  std::optional<std::vector<FoundFile>> listed(const std::filesystem::path& folder, Split split,
                                               FoundFiles& found) const override;

 private:
  std::filesystem::path root_;
  /// What folders() told: each rule asks anew, and a folder of many files is long to list.
  mutable std::map<std::filesystem::path, std::vector<std::filesystem::path>> folders_;
};

/// Entries of `folder` but for what systems, and trainings into it, leave there, sorted by name.
/// \throws Error kPermissionDenied or kIo.
std::vector<std::filesystem::path> visible_entries(const std::filesystem::path& folder, Skipped& skipped);
std::vector<std::filesystem::path> visible_folders(const std::filesystem::path& folder);  ///< folders alone

/// All regular files below `folder` that hold at least a byte. Links are followed, but not to folders that they lie in;
/// every real folder is entered once.
/// \throws Error kPermissionDenied or kIo.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder, Skipped& skipped);

/// Whether a folder is called images/, audio/ or the like: it holds files of all classes.
bool is_container(const std::filesystem::path& folder);

/// Whether `folder` holds folders, and not a container alone.
bool has_class_folders(const Tree& tree, const std::filesystem::path& folder);

/// A file below `root`, from where it has its name.
FoundFile found_file(const std::filesystem::path& path, const std::filesystem::path& root, std::string class_name);

/// The class that a folder stands for: its name, composed; `unknown` for `_unknown_`, `background` for `_silence_` and
/// `_background_noise_`.
std::string class_of_folder(std::string_view name);

/// The names of the classes of a model, if there is one.
using KnownClasses = std::optional<std::vector<std::string>>;

/// Folders of classes, alone or below folders of splits, each of which may have a list of labels instead.
FoundFiles find_folders(Tree& tree, const KnownClasses& classes);

/// The folder that `folder` holds and nothing else, as archives do that wrap everything in a folder of its own.
std::optional<std::filesystem::path> only_folder(const Tree& tree, const std::filesystem::path& folder);

bool is_manifest_folder(const std::filesystem::path& root);
FoundFiles find_manifest_folder(const std::filesystem::path& root);
FoundFiles find_manifest(const std::filesystem::path& manifest);

/// Whether a folder holds archives, and no folders but those of splits that do, too.
bool is_archive_folder(const std::filesystem::path& root);
FoundFiles find_archive_folder(const std::filesystem::path& root, const KnownClasses& classes);

/// The labelled files in archives, each of the split that the folder or the name of its archive says: of training where
/// they say none. Labels lie beside the files; else the folders in the archives are looked at as find_folders() does.
/// \throws Error kInvalidFormat where an archive is damaged; kInvalidArgument where two files have one label
FoundFiles find_archives(const std::vector<std::filesystem::path>& archives, const KnownClasses& classes);

/// Whether a file of this name may be a manifest: .csv, .tsv, .json, .jsonl.
bool is_manifest_name(const std::filesystem::path& path);

/// Whether a list of labels lies in `folder` whose name says that it is one.
bool has_list(const std::filesystem::path& folder);

/// The labelled files of one split that lie in `folder` without folders of classes, as a list in it or beside it says:
/// metadata.csv or .jsonl (Hugging Face), _classes.csv (Roboflow), wav.scp and text (Kaldi), a list named after the
/// split (val_annotations.txt, LOC_val_solution.csv, val.csv). Nothing if there is no such list.
/// \param found takes what is to be said
std::optional<std::vector<FoundFile>> find_listed(const std::filesystem::path& folder, Split split,
                                                  const std::filesystem::path& root, FoundFiles& found);

/// Whether `classes` are all among the twelve of Speech Commands' usual task.
bool are_twelve(const std::vector<std::string>& classes);
bool is_speech_commands_archive(const std::filesystem::path& root);
FoundFiles find_speech_commands_archive(const std::filesystem::path& root, SpeechCommandsTask task);

/// A hash of `name` and `seed` that is the same on every platform: an order that is random, yet of the names only.
std::uint64_t hash_of(std::string_view name, std::uint64_t seed) noexcept;

/// Who speaks in the file `name` of class `class_name`: HASH of HASH_nohash_N (Speech Commands), SPEAKER of
/// CLASS_SPEAKER_N (spoken digits); nothing if the name does not tell.
std::optional<std::string> speaker_of(std::string_view name, std::string_view class_name);

/// Moves about `fraction` of every class from `train` to `validation`, at least one file of each class that has two.
/// Whole speakers move if at least half of the files tell theirs and the classes come no further from their share than
/// without a split. Depends on the names and the seed only.
/// \param by_speaker whether whole speakers may move
/// \return "speaker" or "file"
std::string split_off_validation(std::vector<FoundFile>& train, std::vector<FoundFile>& validation, double fraction,
                                 std::uint64_t seed, bool by_speaker = true);

}  // namespace byteformer::data
