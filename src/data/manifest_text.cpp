// Reads manifests as people write them: which column is what, and what it means.
#include "data/manifest_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <span>
#include <utility>

#include "format/json.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

using format::excerpt;
using format::fail;
using format::Json;

using Names = std::span<const std::string_view>;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// In the order in which they are preferred.
constexpr auto kPathNames = std::to_array<std::string_view>({"path",
                                                             "audio_filepath",
                                                             "file",
                                                             "filename",
                                                             "file_name",
                                                             "filepath",
                                                             "file_path",
                                                             "image_path",
                                                             "img_path",
                                                             "audio_path",
                                                             "wav_path",
                                                             "relative_path",
                                                             "rel_path",
                                                             "image_file",
                                                             "image_filename",
                                                             "image_name",
                                                             "img_name",
                                                             "audio_file",
                                                             "audio_filename",
                                                             "wav_filename",
                                                             "slice_file_name",
                                                             "fname",
                                                             "image",
                                                             "img",
                                                             "picture",
                                                             "audio",
                                                             "wav",
                                                             "sound",
                                                             "clip",
                                                             "recording",
                                                             "image_id",
                                                             "imageid",
                                                             "audio_id",
                                                             "uri",
                                                             "id",
                                                             "name"});
constexpr auto kLabelNames = std::to_array<std::string_view>(
    {"label",         "command", "class",  "class_name", "classname",     "label_name",      "category",
     "category_name", "keyword", "word",   "genre",      "species",       "breed",           "emotion",
     "tag",           "target",  "labels", "classes",    "class_id",      "classid",         "label_id",
     "category_id",   "y",       "text",   "transcript", "transcription", "predictionstring"});
constexpr auto kSplitNames = std::to_array<std::string_view>(
    {"split", "set", "subset", "partition", "data_set", "dataset", "dataset_split", "usage", "phase", "fold"});
constexpr auto kStartNames = std::to_array<std::string_view>(
    {"onset", "offset", "start", "start_s", "start_sec", "start_time", "begin", "begin_time"});
constexpr auto kEndNames =
    std::to_array<std::string_view>({"end", "end_s", "end_sec", "end_time", "stop", "stop_time"});
constexpr auto kDurationNames = std::to_array<std::string_view>({"duration", "duration_s", "dur"});
/// What a sample is then, no reader here knows.
constexpr auto kRefusedNames = std::to_array<std::string_view>(
    {"xmin", "x_min", "xmax", "x_max", "bbox", "bounding_box", "boxes", "x1", "start_ms", "end_ms", "offset_ms",
     "begin_ms", "start_frame", "end_frame", "start_sample", "num_frames", "frame_offset"});
constexpr auto kFlags = std::to_array<std::pair<std::string_view, Split>>({{"is_train", Split::kTrain},
                                                                           {"is_valid", Split::kValidation},
                                                                           {"is_val", Split::kValidation},
                                                                           {"is_validation", Split::kValidation},
                                                                           {"is_test", Split::kTest}});

/// The text without a byte order mark. \throws Error kUnsupported for UTF-16.
std::string_view without_mark(std::string_view text, const std::string& source) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    fail(ErrorCode::kUnsupported, source, ": is UTF-16, save it as UTF-8");
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

void check_entry(const ManifestEntry& entry, bool has_labels, const std::string& source) {
  const auto refuse = [&](std::string_view what, std::string_view found) {
    fail(ErrorCode::kInvalidFormat, source, ':', entry.line, ": ", what, found);
  };
  if (entry.path.empty()) refuse("the path is empty", "");
  if (entry.path.find('\0') != std::string::npos) refuse("the path has a zero byte: ", excerpt(entry.path));
  if (entry.label.empty() && has_labels) refuse("the label is empty", "");
  if (!format::is_utf8(entry.label)) refuse("the label is not UTF-8: ", excerpt(entry.label));
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// The fields of one sample by the plain names of their columns or keys.
using Record = std::map<std::string, std::string, std::less<>>;

/// The name among `names` that `record` has.
std::optional<std::string_view> name_in(const Record& record, Names names) {
  for (const std::string_view name : names)
    if (record.contains(name)) return name;
  return std::nullopt;
}

/// Understands what columns besides path and label say of samples, all of one manifest.
class ExtraFields {
 public:
  explicit ExtraFields(const std::string& source) : source_(source) {}

  void read(const Record& record, ManifestEntry& entry) {
    if (const auto name = name_in(record, kRefusedNames))
      fail(ErrorCode::kUnsupported, source_, ": has \"", *name,
           "\", which makes a sample of a part of a file in a way that is not read; cut the files first, or remove it "
           "if "
           "whole files are meant");
    read_clip(record, entry);
    splits_.push_back(split_of_record(record, entry.line));
  }

  /// Gives all entries their splits. \throws Error where some name one and others something else.
  void finish(Manifest& manifest) const {
    const auto num_named = std::ranges::count_if(splits_, [](const Said& said) { return said.split.has_value(); });
    if (num_named == 0) return finish_without_names(manifest);
    std::map<Split, std::size_t> counts;
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (!splits_[i].split)
        fail(ErrorCode::kInvalidFormat, source_, ':', manifest.entries[i].line, ": ", splits_[i].column, " is \"",
             excerpt(splits_[i].text), "\", expected train, val or test, as in other lines");
      manifest.entries[i].split = splits_[i].split;
      ++counts[*splits_[i].split];
    }
    std::string text;
    for (const auto& [split, count] : counts)
      text += format::joined(text.empty() ? "" : ", ", count, ' ', purpose(split));
    manifest.remarks.push_back(format::joined("splits: as \"", splits_.front().column, "\" says: ", text));
  }

 private:
  struct Said {
    std::string column, text;
    std::optional<Split> split;
  };

  /// Seconds; nothing where the field is absent or empty or null, or a length of -1, which stand for "all of it".
  std::optional<double> seconds(const Record& record, Names names, std::size_t line) const {
    const auto name = name_in(record, names);
    if (!name) return std::nullopt;
    const std::string text = trimmed(record.find(*name)->second);
    const bool is_of_length = names.data() != kStartNames.data();
    if (text.empty() || (is_of_length && (text == "-1" || text == "-1.0"))) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) || value > 1e9)
      fail(ErrorCode::kInvalidFormat, source_, ':', line, ": ", *name, " is ", excerpt(text),
           ", expected a time in seconds");
    return value;
  }

  void read_clip(const Record& record, ManifestEntry& entry) const {
    if (record.contains("slice_file_name")) return;  // UrbanSound8K: where the slice lay in another recording
    const bool has_onset = record.contains("onset");
    entry.start_s = seconds(record, kStartNames, entry.line);
    entry.duration_s = seconds(record, kDurationNames, entry.line);
    constexpr std::array<std::string_view, 1> kOffset = {"offset"};
    const auto end_s = has_onset ? seconds(record, kOffset, entry.line) : seconds(record, kEndNames, entry.line);
    if (end_s && !entry.duration_s) {
      entry.duration_s = *end_s - entry.start_s.value_or(0);
      if (*entry.duration_s <= 0)
        fail(ErrorCode::kInvalidFormat, source_, ':', entry.line, ": the clip ends at ", *end_s,
             " s, before it starts");
    }
    if (entry.duration_s == 0) entry.duration_s.reset();
  }

  Said split_of_record(const Record& record, std::size_t line) const {
    if (const auto name = name_in(record, kSplitNames)) {
      const std::string& text = record.find(*name)->second;
      const auto named = split_name(text);
      return {std::string(*name), text, named ? std::optional(named->split) : std::nullopt};
    }
    Said said;
    for (const auto& [name, split] : kFlags) {
      const auto field = record.find(name);
      if (field == record.end()) continue;
      const std::string value = plain_name(field->second);
      const bool is_set = value == "true" || value == "1" || value == "yes" || value == "t";
      if (!is_set && value != "false" && value != "0" && value != "no" && value != "f")
        fail(ErrorCode::kInvalidFormat, source_, ':', line, ": ", name, " is \"", excerpt(field->second),
             "\", expected true or false");
      const bool is_no_training = !is_set && split == Split::kTrain;
      said.column += (said.column.empty() ? "" : ", ") + std::string(name);
      if (is_set) said.split = split;
      if (!said.split) said.split = is_no_training ? Split::kValidation : Split::kTrain;
    }
    return said;
  }

  /// Folds are groups that belong together: the last one is held out. Other values say nothing.
  void finish_without_names(Manifest& manifest) const {
    if (splits_.empty() || splits_.front().column.empty()) return;
    std::map<std::pair<std::size_t, std::string>, std::size_t> folds;  // shorter numbers first
    for (const Said& said : splits_) ++folds[{said.text.size(), said.text}];
    const bool are_folds = splits_.front().column == "fold" && folds.size() > 1 && folds.size() <= 100;
    if (!are_folds) {
      manifest.remarks.push_back(format::joined("\"", splits_.front().column, "\" names no train, val or test (\"",
                                                excerpt(splits_.front().text), "\"): not used"));
      return;
    }
    const std::string& last = folds.rbegin()->first.second;
    for (std::size_t i = 0; i < splits_.size(); ++i)
      manifest.entries[i].split = splits_[i].text == last ? Split::kValidation : Split::kTrain;
    manifest.remarks.push_back(format::joined("splits: fold ", excerpt(last), " of ", folds.size(),
                                              " is for validation (", folds.rbegin()->second,
                                              " files), the others to train on"));
  }

  const std::string& source_;
  std::vector<Said> splits_;
};

struct Row {
  std::vector<std::string> fields;
  std::size_t line = 0;
};

/// Splits the text of a CSV file into rows and fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& source) : rest_(text), source_(source) {
    const std::string_view first = rest_.substr(0, rest_.find_first_of("\r\n"));
    const auto has = [first](char c) { return first.find(c) != std::string_view::npos; };
    if (!has(',')) separator_ = has('\t') ? '\t' : has(';') ? ';' : ',';
    if (source.ends_with(".tsv")) separator_ = '\t';
    ends_in_cr_ = text.find('\n') == std::string_view::npos;  // as before the year 2000 on a Mac
  }

  /// The next row that is not empty.
  std::optional<Row> next() {
    while (!rest_.empty() && at_line_end()) end_line();
    if (rest_.empty()) return std::nullopt;
    Row row{{}, line_};
    row.fields.push_back(field());
    while (!rest_.empty() && rest_[0] == separator_) {
      rest_.remove_prefix(1);
      row.fields.push_back(field());
    }
    end_line();
    return row;
  }

 private:
  void end_line() {
    if (rest_.starts_with('\r')) rest_.remove_prefix(1);
    if (rest_.starts_with('\n')) rest_.remove_prefix(1);
    ++line_;
  }

  bool at_line_end() const {
    return rest_.empty() || rest_[0] == '\n' || rest_ == "\r" || rest_.starts_with("\r\n") ||
           (ends_in_cr_ && rest_[0] == '\r');
  }
  bool at_field_end() const { return at_line_end() || rest_[0] == separator_; }

  std::string field() {
    if (rest_.starts_with('"')) return quoted_field();
    std::string text;
    for (; !at_field_end(); rest_.remove_prefix(1)) text += rest_[0];
    return text;
  }

  std::string quoted_field() {
    const std::size_t first_line = line_;
    std::string text;
    for (rest_.remove_prefix(1);; rest_.remove_prefix(1)) {
      if (rest_.empty()) fail(ErrorCode::kInvalidFormat, source_, ':', first_line, ": a quote is not closed");
      if (rest_.starts_with("\"\"")) {
        rest_.remove_prefix(1);
      } else if (rest_[0] == '"') {
        break;
      } else if (rest_[0] == '\n') {
        ++line_;
      }
      text += rest_[0];
    }
    rest_.remove_prefix(1);
    if (!at_field_end())
      fail(ErrorCode::kInvalidFormat, source_, ':', line_, ": text follows the closing quote of \"", excerpt(text),
           "\", expected ", separator_ == ',' ? "a comma" : "a separator", " or the end of the line");
    return text;
  }

  std::string_view rest_;
  const std::string& source_;
  char separator_ = ',';
  bool ends_in_cr_ = false;
  std::size_t line_ = 1;
};

/// What the columns of a CSV file are.
struct Columns {
  std::vector<std::string> names;  ///< plain; empty where there is no header
  std::string path, label;         ///< names of columns; no label: a column per class, or none at all
  bool has_classes = false;        ///< whether each column but the first is a class, with 0 or 1
  bool trims = false;              ///< whether spaces around fields mean nothing, as in the header
};

/// The header that `row` is; nothing if it names no path.
std::optional<Columns> header_of(const Row& row, const std::string& source) {
  Columns columns;
  Record named;
  for (const std::string& field : row.fields) {
    columns.trims |= field != trimmed(field);
    columns.names.push_back(plain_name(field));
    named.emplace(columns.names.back(), "");
  }
  const auto path = name_in(named, kPathNames);
  if (!path) return std::nullopt;
  columns.path = *path;
  named.erase(columns.path);
  if (const auto label = name_in(named, kLabelNames)) {
    columns.label = *label;
  } else if (row.fields.size() == 2 && !name_in(named, kSplitNames)) {
    columns.label = columns.names[columns.names.front() == columns.path ? 1 : 0];
  } else if (source.ends_with("_classes.csv")) {
    columns.has_classes = true;
    columns.names.clear();
    for (const std::string& field : row.fields) columns.names.push_back(trimmed(field));
  }
  const bool is_a_file = columns.label.empty() && !columns.has_classes && row.fields.size() == 2;
  return is_a_file ? std::nullopt : std::optional(columns);
}

/// The one class whose column is 1.
std::string class_of_row(const Row& row, const Columns& columns, const std::string& source) {
  std::string label;
  for (std::size_t i = 1; i < std::min(row.fields.size(), columns.names.size()); ++i) {
    if (trimmed(row.fields[i]) != "1") continue;
    if (!label.empty())
      fail(ErrorCode::kUnsupported, source, ':', row.line, ": has the classes \"", excerpt(label), "\" and \"",
           excerpt(columns.names[i]), "\"; a file may have one class only");
    label = columns.names[i];
  }
  return label;
}

Record record_of(const Row& row, const Columns& columns, const std::string& source) {
  const bool has_more =
      std::any_of(row.fields.begin() + static_cast<std::ptrdiff_t>(std::min(row.fields.size(), columns.names.size())),
                  row.fields.end(), [](const std::string& field) { return !field.empty(); });
  if (row.fields.size() < columns.names.size() || has_more)
    fail(ErrorCode::kInvalidFormat, source, ':', row.line, ": has ", row.fields.size(), " fields, expected the ",
         columns.names.size(), " columns of the header (quote a field that has commas)");
  Record record;
  for (std::size_t i = 0; i < columns.names.size(); ++i)
    record.emplace(columns.names[i], columns.trims ? trimmed(row.fields[i]) : row.fields[i]);
  return record;
}

ManifestEntry entry_without_header(const Row& row, const std::string& source) {
  if (row.fields.size() != 2)
    fail(ErrorCode::kInvalidFormat, source, ':', row.line, ": has ", row.fields.size(),
         " fields, expected a path and a label, or a first row that names the columns (quote a field that has commas)");
  return {.path = row.fields[0], .label = row.fields[1], .line = row.line};
}

/// A string, or the digits of an integer, or the one of either that an array holds; nothing for what is neither.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_array() && value.size() == 1) return text_of(value.front());
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return std::nullopt;
}

ManifestEntry parse_json_entry(const Json& object, std::size_t line, ExtraFields& extra, const std::string& source) {
  const std::string place = format::joined(source, ':', line);
  if (!object.is_object())
    fail(ErrorCode::kInvalidFormat, place, ": is ", format::description(object), ", expected one object a line");
  Record record;
  std::map<std::string, const Json*, std::less<>> values;
  for (const auto& [key, value] : object.items()) {
    const std::string name = plain_name(key);
    values.emplace(name, &value);
    record.emplace(name, value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump());
  }
  const auto path = name_in(record, kPathNames);
  if (!path) fail(ErrorCode::kInvalidFormat, place, ": has neither \"path\" nor \"audio_filepath\"");
  const auto label = name_in(record, kLabelNames);
  if (!label) fail(ErrorCode::kInvalidFormat, place, ": has neither \"label\" nor \"command\"");
  const Json& path_value = *values.find(*path)->second;
  const auto label_text = text_of(*values.find(*label)->second);
  if (!path_value.is_string())
    fail(ErrorCode::kInvalidFormat, place, ": the path is ", format::description(path_value), ", expected a string");
  if (!label_text)
    fail(ErrorCode::kInvalidFormat, place, ": the label is ", format::description(*values.find(*label)->second),
         ", expected a string or an integer");
  ManifestEntry entry{.path = path_value.get<std::string>(), .label = *label_text, .line = line};
  check_entry(entry, true, source);
  extra.read(record, entry);
  return entry;
}

/// Calls visit(line, number) for every line that is not blank.
template <typename Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) visit(line, number);
  }
}

/// The first word of `line` and the rest, without spaces around.
std::pair<std::string, std::string> first_word(std::string_view line) {
  const std::string text = trimmed(line);
  const auto end = text.find_first_of(" \t");
  return end == std::string::npos ? std::pair(text, std::string())
                                  : std::pair(text.substr(0, end), trimmed(std::string_view(text).substr(end)));
}

}  // namespace

Manifest parse_csv_manifest(std::string_view text, const std::string& source) {
  CsvReader reader(without_mark(text, source), source);
  Manifest manifest;
  ExtraFields extra(source);
  std::optional<Columns> columns;
  for (bool is_first = true; const auto row = reader.next(); is_first = false) {
    if (is_first && (columns = header_of(*row, source))) {
      manifest.has_labels = columns->has_classes || !columns->label.empty();
      continue;
    }
    ManifestEntry entry;
    if (!columns) {
      entry = entry_without_header(*row, source);
    } else {
      const Record record = record_of(*row, *columns, source);
      entry = {.path = record.at(columns->has_classes ? columns->names.front() : columns->path), .line = row->line};
      if (columns->has_classes) {
        entry.label = class_of_row(*row, *columns, source);
      } else {
        if (manifest.has_labels) entry.label = record.at(columns->label);
        // Kaggle's ImageNet: the class, then its boxes.
        if (columns->label == "predictionstring") entry.label = first_word(entry.label).first;
        extra.read(record, entry);
      }
    }
    check_entry(entry, manifest.has_labels, source);
    manifest.entries.push_back(std::move(entry));
  }
  if (columns && !columns->has_classes) extra.finish(manifest);
  return manifest;
}

Manifest parse_json_manifest(std::string_view text, const std::string& source) {
  text = without_mark(text, source);
  Manifest manifest;
  ExtraFields extra(source);
  if (const auto first = text.find_first_not_of(" \t\r\n"); first != std::string_view::npos && text[first] == '[') {
    const Json array = format::parse_json(text, source);
    for (std::size_t i = 0; i < array.size(); ++i)
      manifest.entries.push_back(parse_json_entry(array[i], i + 1, extra, source));
  } else {
    for_each_line(text, [&](std::string_view line, std::size_t number) {
      const Json object = format::parse_json(line, format::joined(source, ':', number));
      manifest.entries.push_back(parse_json_entry(object, number, extra, source));
    });
  }
  extra.finish(manifest);
  return manifest;
}

Manifest parse_kaldi(std::string_view wav_scp, std::string_view labels, const std::string& source) {
  std::map<std::string, std::string> label_of;
  for_each_line(labels, [&](std::string_view line, std::size_t) { label_of.insert(first_word(line)); });
  Manifest manifest;
  for_each_line(wav_scp, [&](std::string_view line, std::size_t number) {
    const auto [name, path] = first_word(line);
    if (path.ends_with('|'))
      fail(ErrorCode::kUnsupported, source, ':', number, ": \"", excerpt(name),
           "\" is a command and not a file; commands "
           "in wav.scp are not run, write the files first");
    const auto label = label_of.find(name);
    if (label == label_of.end())
      fail(ErrorCode::kInvalidFormat, source, ':', number, ": \"", excerpt(name), "\" has no label");
    manifest.entries.push_back({.path = path, .label = label->second, .line = number});
    check_entry(manifest.entries.back(), true, source);
  });
  return manifest;
}

Manifest parse_list(std::string_view text, const std::string& source) {
  Manifest manifest;
  for_each_line(without_mark(text, source), [&](std::string_view line, std::size_t number) {
    const auto [path, rest] = first_word(line);
    const std::string label = rest.substr(0, rest.find_first_of(" \t"));
    manifest.entries.push_back({.path = path, .label = label, .line = number});
    manifest.has_labels &= !label.empty();
  });
  for (const ManifestEntry& entry : manifest.entries) check_entry(entry, manifest.has_labels, source);
  return manifest;
}

}  // namespace byteformer::data
