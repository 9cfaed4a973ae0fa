// Labelled files: which there are, their classes, and how they split into training, validation and test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace byteformer::data {

/// One labelled file.
struct Sample {
  std::filesystem::path path;
  int label = 0;  ///< 0-based index into DataSet::classes
  std::optional<double>
      start_s;  ///< a clip of a long recording, from here on; the loader cuts it. Mostly the whole file
  bool operator==(const Sample&) const = default;
};

/// How the files were found.
enum class Layout { kFolderPerClass, kSplitFolders, kManifest, kSpeechCommandsManifests, kSpeechCommandsArchive };

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
  bool split_by_speaker = true;      ///< where names tell the speaker; false: file by file
  bool split_validation = true;      ///< false: all files of a plain folder stay in `train`
  bool needs_training_files = true;  ///< false: no class has to have any
};

/// Finds the labelled files below or in `path`:
///  - a folder with a folder per class, or train/ (training/), val/ (valid/, validation/) and test/ of such folders;
///    class folders are searched recursively, links followed; hidden, empty and broken entries are skipped with a
///    remark. Folders `_unknown_`, `_silence_` and `_background_noise_` are the classes `unknown`, `background` and
///    `background`;
///  - a manifest, .csv (with or without header `path,label`) or .jsonl/.json of one object a line (`path` or
///    `audio_filepath`, and `label` or `command`; `offset` in seconds, if only a clip is meant), paths relative to it,
///    or a folder that holds {train,val,test}.{csv,jsonl,json};
///  - Speech Commands v2: {train,validation,test}_manifest.json, or the archive's own layout with validation_list.txt
///    and testing_list.txt (12 classes: ten words, `unknown` from the other words, `background` of clips from
///    _background_noise_, both as many a split as a word has on average; clips of different splits come from different
///    parts of a recording).
///
/// The split is stratified and depends on the names and the seed only; where names tell the speaker (Speech Commands'
/// HASH_nohash_N, or CLASS_SPEAKER_N), no speaker is on both sides if that leaves enough of each class.
///
/// Classes that occur only in validation or test, and classes of `options.classes` without a training file, are
/// remarks.
/// \throws Error kNotFound; kPermissionDenied; kInvalidFormat naming manifest and line (at most ten missing paths);
///         kInvalidArgument: no files, one class only (unless `options.classes` is set), a class folder beside training
///         files that holds none, a class that `options.classes` lacks, a class name that is not UTF-8.
DataSet find_data_set(const std::filesystem::path& path, const DataSetOptions& options = {});

/// Which files of it `byteformer eval` should use: test if there is one, else validation, else all.
const std::vector<Sample>& evaluation_samples(const DataSet& data_set) noexcept;

}  // namespace byteformer::data
