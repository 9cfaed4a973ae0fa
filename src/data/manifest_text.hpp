// The text of manifests (CSV, TSV and JSON): labelled paths, without a look at the disk; and what the columns of a
// manifest and the keys of its objects are called, and what they mean.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/names.hpp"

namespace byteformer::data {

struct ManifestEntry {
  std::string path = {};
  std::string label = {};                               ///< empty where the manifest has none
  std::optional<double> start_s = {}, duration_s = {};  ///< of a clip, in seconds
  std::optional<Split> split = {};                      ///< where a column says it
  std::size_t line = 0;                                 ///< 1-based
  bool operator==(const ManifestEntry&) const = default;
};

struct Manifest {
  std::vector<ManifestEntry> entries;
  bool has_labels = true;
  std::vector<std::string> remarks;  ///< what a person should know of how it was read
};

/// Rows of path and label, separated by commas, by tabs, or by semicolons if the first row has no comma. A first row
/// that names a path is a header, in any case and usual spelling, and may put columns anywhere; without one, a row has
/// exactly the path and the label. A column may say the split (split, set, fold, is_valid, ...), others where a clip
/// starts and ends. Fields may be quoted; empty lines are passed over. A header `filename` and then a column of 0 and 1
/// per class (Roboflow) is read, too.
/// \throws Error kInvalidFormat naming `source` and line; kUnsupported for columns that make of a file a sample that
///         is not read: boxes in pictures, frames and milliseconds.
Manifest parse_csv_manifest(std::string_view text, const std::string& source);

/// One JSON object a line, or one array of objects: a path, a label (a string or an integer), and the same keys
/// besides as columns of a CSV file.
/// \throws Error as parse_csv_manifest().
Manifest parse_json_manifest(std::string_view text, const std::string& source);

/// Kaldi's tables: `wav_scp` has lines of an utterance's name and its file, `labels` of the name and the label.
/// \throws Error kInvalidFormat naming `source` and line; kUnsupported for a command in the place of a file.
Manifest parse_kaldi(std::string_view wav_scp, std::string_view labels, const std::string& source);

/// Lines of a path and a label, with space or tab between (ImageNet's val.txt) and perhaps more fields, which boxes
/// are.
Manifest parse_list(std::string_view text, const std::string& source);

/// The fields of one sample by the plain names of their columns or keys. \see plain_name()
using Record = std::map<std::string, std::string, std::less<>>;

/// `text` without spaces around it.
std::string trimmed(std::string_view text);

/// The name of the field that holds the path (the label), the preferred one if there are several.
std::optional<std::string_view> path_column(const Record& record);
std::optional<std::string_view> label_column(const Record& record);

/// Whether a field has a name that stands for the split.
bool says_split(const Record& record);

/// Understands what fields besides path and label say of samples, all of one manifest.
class ExtraFields {
 public:
  /// \param source stands in messages and must outlive this
  explicit ExtraFields(const std::string& source) : source_(source) {}

  /// Takes the clip that `record` says into `entry`, and notes the split.
  /// \throws Error kUnsupported for parts of files that are not read; kInvalidFormat for times that are none.
  void read(const Record& record, ManifestEntry& entry);

  /// Gives the entries their splits once all are read.
  /// \throws Error kInvalidFormat where some name one and others something else.
  void finish(Manifest& manifest) const;

 private:
  struct Said {
    std::string column, text;
    std::optional<Split> split;
  };

  void read_clip(const Record& record, ManifestEntry& entry) const;
  Said split_of_record(const Record& record, std::size_t line) const;
  void finish_without_names(Manifest& manifest) const;

  const std::string& source_;
  std::vector<Said> splits_;
};

}  // namespace byteformer::data
