// Watches the rows of a command, and stores by them what comes from elsewhere: the same checks for all.
#include "system/option_sources.hpp"

#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "exit_status.hpp"
#include "interop/yaml_file.hpp"
#include "output/json.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kLongestFile = 1 << 20;
constexpr const char* kCommandLine = "command line";

/// Whether an option says what to do this time, which no file can.
bool is_of_one_call(std::string_view name) {
  return name == "config" || name == "print-config" || name == "self-test";
}

std::string variable(const std::string& prefix, const std::string& name) {
  std::string text = prefix;
  for (const char c : name) text += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

OptionSources::OptionSources(CommandLine& line, std::string prefix) : prefix_(std::move(prefix)) {
  for (Option& option : line.options) {
    if (option.doc.is_positional) continue;
    auto row = std::make_shared<Row>(Row{&option, option.doc.long_names.front(), option.store});
    if (option.flag == nullptr)
      option.store = [row](const std::vector<std::string>& values) { set(*row, values, kCommandLine); };
    rows_.push_back(std::move(row));
  }
}

void OptionSources::set(Row& row, const std::vector<std::string>& values, const std::string& from) {
  if (row.option->flag != nullptr) {
    if (values.size() != 1 || (values[0] != "0" && values[0] != "1" && values[0] != "true" && values[0] != "false"))
      throw UsageError("--" + row.name + " must be 0 or 1 here");
    *row.option->flag = values[0] == "1" || values[0] == "true";
  } else {
    row.store(values);
  }
  if (row.option->doc.takes_many)
    row.values.insert(row.values.end(), values.begin(), values.end());
  else
    row.values = values;
  row.from = from;
}

void OptionSources::read_environment() {
  for (const std::shared_ptr<Row>& row : rows_) {
    const std::string name = variable(prefix_, row->name);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || row->is_set()) continue;
    try {
      set(*row, row->option->doc.takes_many ? words_of(value) : std::vector<std::string>{value}, name);
    } catch (const UsageError& error) {
      throw UsageError(name + ": " + error.what());
    }
  }
}

void OptionSources::read_file(const std::string& path) {
  const interop::YamlFile yaml(base::read_text_file(path, kLongestFile), path);
  for (const std::shared_ptr<Row>& row : rows_) {
    const auto values = yaml.texts(row->name);
    if (values && is_of_one_call(row->name))
      throw UsageError(base::printable(path) + ": --" + row->name + " belongs on the command line");
    if (!values || row->is_set()) continue;
    try {
      if (values->size() != 1 && !row->option->doc.takes_many) throw UsageError("--" + row->name + " takes one value");
      set(*row, *values, path);
    } catch (const UsageError& error) {
      throw UsageError(base::printable(path) + ": " + error.what());
    }
  }
  interop::require_known_keys(yaml);
}

std::string OptionSources::yaml() const {
  std::string text;
  for (const std::shared_ptr<Row>& row : rows_) {
    if (!row->is_set() || is_of_one_call(row->name)) {
      text += "# " + row->name + ": " + row->option->doc.description + "\n";
      continue;
    }
    std::string values;
    for (const std::string& value : row->values) {
      if (!base::is_utf8(value))
        base::fail(ErrorCode::kInvalidArgument, "--", row->name, " ", base::printable(value),
                   " is not UTF-8, which a YAML file has to be");
      values += values.empty() ? "" : ", ";
      append_json_string(values, value);
    }
    if (row->option->flag != nullptr) values = *row->option->flag ? "true" : "false";
    if (row->option->doc.takes_many) values = "[" + values + "]";
    text += row->name + ": " + values + "  # " + (row->from.empty() ? kCommandLine : row->from) + "\n";
  }
  return text;
}

}  // namespace byteformer::cli
