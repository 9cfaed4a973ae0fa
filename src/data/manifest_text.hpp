// The text of manifests (CSV and JSON lines): labelled paths, without a look at the disk.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byteformer::data {

struct ManifestEntry {
  std::string path;
  std::string label;
  std::optional<double> start_s;  ///< JSON lines: `offset`
  std::size_t line = 0;           ///< 1-based
  bool operator==(const ManifestEntry&) const = default;
};

/// Rows of path and label. A first row that names both columns is a header and may put them anywhere; without one, a
/// row has exactly the path and the label. Fields may be quoted; empty lines are passed over.
/// \throws Error kInvalidFormat naming `source` and line.
std::vector<ManifestEntry> parse_csv_manifest(std::string_view text, const std::string& source);

/// One JSON object a line: `path` or `audio_filepath`, and `label` or `command` (a string or an integer).
/// \throws Error kInvalidFormat naming `source` and line.
std::vector<ManifestEntry> parse_json_manifest(std::string_view text, const std::string& source);

}  // namespace byteformer::data
