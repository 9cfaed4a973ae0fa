// Reads the text of manifests: CSV and its kin, JSON, lists, Kaldi's tables.
#include "data/manifest_text.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::data {
namespace {

using base::excerpt;
using base::fail;
using format::Json;

/// The text without a byte order mark. \throws Error kUnsupported for UTF-16.
std::string_view without_mark(std::string_view text, const std::string& source) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    fail(ErrorCode::kUnsupported, source, ": is UTF-16, save it as UTF-8");
  if (text.starts_with(base::kByteOrderMark)) text.remove_prefix(base::kByteOrderMark.size());
  return text;
}

void check_entry(const ManifestEntry& entry, bool has_labels, const std::string& source) {
  const auto refuse = [&](std::string_view what, std::string_view found) {
    fail(ErrorCode::kInvalidFormat, source, ':', entry.line, ": ", what, found);
  };
  if (entry.path.empty()) refuse("the path is empty", "");
  if (entry.path.find('\0') != std::string::npos) refuse("the path has a zero byte: ", excerpt(entry.path));
  if (entry.label.empty() && has_labels) refuse("the label is empty", "");
  if (!base::is_utf8(entry.label)) refuse("the label is not UTF-8: ", excerpt(entry.label));
}

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
    if (first.size() == 5 && base::lower_case(first.substr(0, 4)) == "sep=") {  // as Excel has it
      separator_ = first[4];
      rest_.remove_prefix(first.size());
    }
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
    if (rest_.starts_with('"') && (separator_ != '\t' || closes_in_line())) return quoted_field();
    std::string text;
    for (; !at_field_end(); rest_.remove_prefix(1)) text += rest_[0];
    return text;
  }

  /// Whether the quote that begins here ends a field of this line: in tables with tabs it is often a letter.
  bool closes_in_line() const {
    const std::string_view line = rest_.substr(0, rest_.find_first_of("\r\n"));
    for (auto at = line.find('"', 1); at != std::string_view::npos; at = line.find('"', at + 1)) {
      if (at + 1 < line.size() && line[at + 1] == '"')
        ++at;
      else
        return at + 1 == line.size() || line[at + 1] == separator_;
    }
    return false;
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
  const auto path = path_column(named);
  if (!path) return std::nullopt;
  columns.path = *path;
  named.erase(columns.path);
  if (const auto label = label_column(named)) {
    columns.label = *label;
  } else if (row.fields.size() == 2 && !says_split(named)) {
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

/// A string, or the digits of a whole number (also of 3.0, as pandas writes them), or true or false, or the one of
/// these that an array holds; nothing for anything else.
std::optional<std::string> text_of(const Json& value) {
  if (value.is_array() && value.size() == 1) return text_of(value.front());
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer() || value.is_boolean()) return value.dump();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  const bool is_whole = std::abs(number) < 1e15 && std::floor(number) == number;
  return is_whole ? std::optional(std::to_string(static_cast<std::int64_t>(number))) : std::nullopt;
}

ManifestEntry parse_json_entry(const Json& object, std::size_t line, ExtraFields& extra, const std::string& source) {
  const std::string place = base::joined(source, ':', line);
  if (!object.is_object())
    fail(ErrorCode::kInvalidFormat, place, ": is ", format::description(object), ", expected one object a line");
  Record record;
  std::map<std::string, const Json*, std::less<>> values;
  for (const auto& [key, value] : object.items()) {
    const std::string name = plain_name(key);
    values.emplace(name, &value);
    record.emplace(name, value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump());
  }
  const auto path = path_column(record);
  if (!path) fail(ErrorCode::kInvalidFormat, place, ": has neither \"path\" nor \"audio_filepath\"");
  const auto label = label_column(record);
  if (!label) fail(ErrorCode::kInvalidFormat, place, ": has neither \"label\" nor \"command\"");
  const Json& path_value = *values.find(*path)->second;
  const auto label_text = text_of(*values.find(*label)->second);
  if (!path_value.is_string())
    fail(ErrorCode::kInvalidFormat, place, ": the path is ", format::description(path_value), ", expected a string");
  if (!label_text)
    fail(ErrorCode::kInvalidFormat, place, ": the label is ", format::description(*values.find(*label)->second),
         ", expected a string or an integer");
  ManifestEntry entry{.path = path_value.get<std::string>(), .label = trimmed(*label_text), .line = line};
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
    entry.label = trimmed(entry.label);  // "a.jpg, cat" means no class " cat"
    manifest.entries.push_back(std::move(entry));
  }
  // Kaggle's test.csv has a column of labels that are all empty.
  const auto has_label = [](const ManifestEntry& entry) { return !entry.label.empty(); };
  if (columns && !manifest.entries.empty() && std::ranges::none_of(manifest.entries, has_label))
    manifest.has_labels = false;
  for (const ManifestEntry& entry : manifest.entries) check_entry(entry, manifest.has_labels, source);
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
      const Json object = format::parse_json(line, base::joined(source, ':', number));
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
