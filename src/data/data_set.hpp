// Labelled files: which there are, their classes, and how they split into training, validation and test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"

namespace byteformer::data {

/// Where the bytes of a file in an archive lie, in one piece.
struct ArchivePlace {
  /// An uncompressed archive: what was given, or what it was unpacked to, which is there as long as this pointer is.
  std::shared_ptr<const std::filesystem::path> archive;
  base::Stretch stretch;

  bool operator==(const ArchivePlace& other) const noexcept {
    return *archive == *other.archive && stretch.offset == other.stretch.offset && stretch.size == other.stretch.size;
  }
};

/// One labelled file.
struct Sample {
  std::filesystem::path path;              ///< of one in an archive the name there, below the path of the archive
  int label = 0;                           ///< 0-based index into DataSet::classes
  std::optional<double> start_s;           ///< a clip of a longer recording, from here on; mostly the whole file
  std::optional<double> duration_s = {};   ///< so long at most; the loader cuts it
  std::optional<ArchivePlace> place = {};  ///< of a file in an archive
  bool operator==(const Sample&) const = default;
};

/// The sample's file, to be read. \throws Error as base::InputFile
base::InputFile open_file(const Sample& sample);

/// Length of the sample's file in bytes; nothing where the system does not tell.
std::optional<std::uint64_t> num_bytes_of(const Sample& sample);

/// How the files were found.
enum class Layout {
  kFolderPerClass,
  kSplitFolders,
  kManifest,
  kSpeechCommandsManifests,
  kSpeechCommandsArchive,
  kArchives
};

/// What Speech Commands, in its own archive, is to teach.
enum class SpeechCommandsTask {
  kAuto,  ///< what the classes of a model say; else the twelve
  k12,    ///< ten words, `unknown` from all others and `background`, each of both a tenth of the words' files
  k35,    ///< all words
};

/// "speech-commands-12" or "speech-commands-35". \throws Error kInvalidArgument naming both.
SpeechCommandsTask parse_task(std::string_view name);

struct DataSet {
  std::vector<std::string> classes;  ///< numbers first, in their order, then names bytewise; or those of the options
  std::vector<Sample> train, validation, test;    ///< sorted by path, then start; each may be empty, not all
  std::vector<std::filesystem::path> background;  ///< noise recordings (Speech Commands), for augmentation
  Layout layout = Layout::kFolderPerClass;
  bool has_own_validation = false;   ///< the data brought it; it was not split off
  std::string split_by;              ///< how validation was split off: "speaker" or "file"; empty if it was not
  std::vector<std::string> remarks;  ///< what a person should know: skipped entries, names twice, ...
};

struct DataSetOptions {
  double validation_fraction = 0.1;  ///< of the training files, where there is no validation set
  std::uint64_t seed = 0;
  /// The classes of a model, in its order: labels become its indices, and a class that it lacks is an error.
  std::optional<std::vector<std::string>> classes;
  /// Other names that data sets have for these classes: from such a name to the class. A class of that name wins.
  std::map<std::string, std::string> aliases = {};
  bool split_by_speaker = true;      ///< where names tell the speaker; false: file by file
  bool split_validation = true;      ///< false: all files of a plain folder stay in `train`
  bool needs_training_files = true;  ///< false: no class has to have any
  SpeechCommandsTask task = SpeechCommandsTask::kAuto;
};

/// Finds the labelled files below or in `path`, in any of the layouts that docs/data.md lists: folders of classes,
/// alone or below folders of splits or with such folders in them; manifests (.csv, .tsv, .json, .jsonl), one for all or
/// one a split; metadata beside the files; Kaldi's tables; Speech Commands' archive. Class folders are searched
/// recursively, links followed; hidden, empty and broken entries and what systems leave behind are skipped with a
/// remark. Names of classes are compared in Unicode's composed form. Folders `_unknown_`, `_silence_` and
/// `_background_noise_` are the classes `unknown`, `background` and `background`. A folder that holds nothing but one
/// folder stands for that.
///
/// The split is stratified and depends on the names and the seed only; where names tell the speaker (Speech Commands'
/// HASH_nohash_N, or CLASS_SPEAKER_N), no speaker is on both sides if that leaves enough of each class.
///
/// Which folder became which split, classes that occur only in validation or test, and classes of `options.classes`
/// without a training file, are remarks.
/// \throws Error kNotFound; kPermissionDenied; kInvalidFormat naming manifest and line (at most ten missing paths);
///         kInvalidArgument: no files, none to train on though `options` need some, one class only (unless
///         `options.classes` is set), a class folder beside training files that holds none, a class that
///         `options.classes` lacks, a class name that is not UTF-8, one file under two labels, folders that may be
///         splits as well as classes.
DataSet find_data_set(const std::filesystem::path& path, const DataSetOptions& options = {});

/// Which files of it `byteformer eval` should use: test if there is one, else validation, else all.
const std::vector<Sample>& evaluation_samples(const DataSet& data_set) noexcept;

/// A fingerprint of the samples' names (below `root`), sizes and labels, in hexadecimal: whether a resumed run has the
/// same data.
std::string fingerprint(const DataSet& data, const std::filesystem::path& root);

/// How a training split its data, and which data that were.
struct KnownSplit {
  DataSetOptions options;
  std::size_t num_classes = 0;
  std::string data_fingerprint;
};

/// The split by which the model in `model_dir` was trained; nothing if neither training/plan.json nor, of a shipped
/// model, recipe.json says it.
std::optional<KnownSplit> read_known_split(const std::filesystem::path& model_dir);

/// The data set below `data`, split as the training of the model in `model_dir` split it; nothing if the model keeps no
/// plan of its training, or if these are not the files that it was trained on.
std::optional<DataSet> find_as_trained(const std::filesystem::path& model_dir, const std::filesystem::path& data);

}  // namespace byteformer::data
