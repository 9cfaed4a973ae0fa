// Parsers of manifests.
#include "data/manifest_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "format/json.hpp"
#include "format/text.hpp"

namespace byteformer::data {
namespace {

using format::excerpt;
using format::fail;
using format::Json;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 5> kPathNames = {"path", "file", "filename", "filepath", "audio_filepath"};
constexpr std::array<std::string_view, 4> kLabelNames = {"label", "class", "command", "category"};

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

void check_entry(const ManifestEntry& entry, const std::string& source) {
  const auto refuse = [&](std::string_view what, std::string_view found) {
    fail(ErrorCode::kInvalidFormat, source, ':', entry.line, ": ", what, found);
  };
  if (entry.path.empty()) refuse("the path is empty", "");
  if (entry.path.find('\0') != std::string::npos) refuse("the path has a zero byte: ", excerpt(entry.path));
  if (entry.label.empty()) refuse("the label is empty", "");
  if (!format::is_utf8(entry.label)) refuse("the label is not UTF-8: ", excerpt(entry.label));
}

struct Row {
  std::vector<std::string> fields;
  std::size_t line = 0;
};

/// Splits the text of a CSV file into rows and fields.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& source) : rest_(without_mark(text)), source_(source) {}

  /// The next row that is not empty.
  std::optional<Row> next() {
    while (!rest_.empty() && (rest_[0] == '\n' || rest_.starts_with("\r\n"))) end_line();
    if (rest_.empty()) return std::nullopt;
    Row row{{}, line_};
    row.fields.push_back(field());
    while (!rest_.empty() && rest_[0] == ',') {
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

  bool at_field_end() const {
    return rest_.empty() || rest_[0] == ',' || rest_[0] == '\n' || rest_ == "\r" || rest_.starts_with("\r\n");
  }

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
           "\", expected a comma or the end of the line");
    return text;
  }

  std::string_view rest_;
  const std::string& source_;
  std::size_t line_ = 1;
};

/// The column whose name is one of `names`, in any case.
template <typename Names>
std::optional<std::size_t> column(const Row& row, const Names& names) {
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    std::string name = row.fields[i];
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    if (std::ranges::find(names, name) != names.end()) return i;
  }
  return std::nullopt;
}

struct Columns {
  std::size_t path = 0;
  std::size_t label = 1;
  std::optional<std::size_t> count;  ///< exactly so many, where no header says otherwise
};

ManifestEntry entry_of(const Row& row, const Columns& columns, const std::string& source) {
  const std::size_t needed = std::max(columns.path, columns.label) + 1;
  if (row.fields.size() < needed || (columns.count && row.fields.size() != *columns.count))
    fail(ErrorCode::kInvalidFormat, source, ':', row.line, ": has ", row.fields.size(), " fields, expected ",
         columns.count ? "a path and a label" : "the columns of the header", " (quote a field that has commas)");
  ManifestEntry entry{row.fields[columns.path], row.fields[columns.label], std::nullopt, row.line};
  check_entry(entry, source);
  return entry;
}

/// The value of the first of two keys that the object has.
const Json& value_of(const Json& object, std::string_view key, std::string_view other, const std::string& place) {
  for (const std::string_view name : {key, other})
    if (const auto value = object.find(name); value != object.end()) return *value;
  fail(ErrorCode::kInvalidFormat, place, ": has neither \"", key, "\" nor \"", other, '"');
}

ManifestEntry parse_json_entry(std::string_view text, std::size_t line, const std::string& source) {
  const std::string place = format::joined(source, ':', line);
  const Json object = format::parse_json(text, place);
  if (!object.is_object())
    fail(ErrorCode::kInvalidFormat, place, ": is ", format::description(object), ", expected one object a line");
  const Json& path = value_of(object, "path", "audio_filepath", place);
  const Json& label = value_of(object, "label", "command", place);
  if (!path.is_string())
    fail(ErrorCode::kInvalidFormat, place, ": the path is ", format::description(path), ", expected a string");
  if (!label.is_string() && !label.is_number_integer())
    fail(ErrorCode::kInvalidFormat, place, ": the label is ", format::description(label),
         ", expected a string or an integer");
  ManifestEntry entry{path.get<std::string>(), label.is_string() ? label.get<std::string>() : label.dump(),
                      std::nullopt, line};
  if (const auto offset = object.find("offset"); offset != object.end()) {
    if (!offset->is_number() || !(offset->get<double>() >= 0))
      fail(ErrorCode::kInvalidFormat, place, ": offset is ", format::description(*offset),
           ", expected a time in seconds");
    entry.start_s = offset->get<double>();
  }
  check_entry(entry, source);
  return entry;
}

}  // namespace

std::vector<ManifestEntry> parse_csv_manifest(std::string_view text, const std::string& source) {
  CsvReader reader(text, source);
  std::vector<ManifestEntry> entries;
  Columns columns{.count = 2};
  for (bool is_first = true; const auto row = reader.next(); is_first = false) {
    const auto path = is_first ? column(*row, kPathNames) : std::nullopt;
    const auto label = is_first ? column(*row, kLabelNames) : std::nullopt;
    if (path && label)
      columns = {*path, *label, std::nullopt};
    else
      entries.push_back(entry_of(*row, columns, source));
  }
  return entries;
}

std::vector<ManifestEntry> parse_json_manifest(std::string_view text, const std::string& source) {
  std::vector<ManifestEntry> entries;
  text = without_mark(text);
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    const std::string_view object = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (object.find_first_not_of(" \t\r") != std::string_view::npos)
      entries.push_back(parse_json_entry(object, line, source));
  }
  return entries;
}

}  // namespace byteformer::data
