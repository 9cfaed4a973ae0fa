// What the columns of manifests and the keys of their objects are called, and what they mean.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/manifest_text.hpp"

namespace byteformer::data {

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
