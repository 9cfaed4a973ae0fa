// The text of manifests (CSV, TSV and JSON): labelled paths, without a look at the disk.
#pragma once

#include <cstddef>
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

}  // namespace byteformer::data
