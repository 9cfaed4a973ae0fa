// Reads the CLI11 tree into the plain data of command_doc.hpp.
#include "help/command_doc.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

namespace byteformer::cli {
namespace {

std::vector<std::string> split_choices(const std::string& value) {
  std::vector<std::string> choices;
  std::istringstream stream(value);
  for (std::string choice; std::getline(stream, choice, '|');) choices.push_back(choice);
  if (choices.size() < 2) choices.clear();
  return choices;
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : path_of(*app.get_parent()) + " " + app.get_name();
}

OptionDoc document(const CLI::Option& option) {
  OptionDoc doc;
  doc.short_names = option.get_snames();
  doc.long_names = option.get_lnames();
  doc.is_positional = option.get_positional();
  doc.is_required = option.get_required();
  doc.takes_many = option.get_items_expected_max() > 1;
  doc.description = option.get_description();
  if (option.get_items_expected_max() > 0) doc.value = option.get_type_name();
  doc.choices = split_choices(doc.value);
  return doc;
}

}  // namespace

std::string OptionDoc::heading() const {
  if (is_positional) return value + (takes_many ? "..." : "");
  std::string text;
  for (const std::string& name : short_names) text += fmt::format("{}-{}", text.empty() ? "" : ", ", name);
  for (const std::string& name : long_names) text += fmt::format("{}--{}", text.empty() ? "" : ", ", name);
  return value.empty() ? text : text + " " + value;
}

std::string CommandDoc::usage() const {
  if (!commands.empty()) return path + " COMMAND [OPTION]... [ARGUMENT]...";
  std::string text = path;
  for (const OptionDoc& option : options)
    if (option.is_required && !option.is_positional)
      text += fmt::format(" --{} {}", option.long_names.front(), option.value);
  text += " [OPTION]...";
  for (const OptionDoc& option : options)
    if (option.is_positional)
      text += option.is_required ? fmt::format(" {}", option.heading()) : fmt::format(" [{}]", option.heading());
  return text;
}

CommandDoc document(const CLI::App& app) {
  CommandDoc doc;
  doc.name = app.get_name();
  doc.path = path_of(app);
  doc.summary = app.get_description();
  doc.details = app.get_footer();
  doc.is_hidden = app.get_group().empty();
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) doc.options.push_back(document(*option));
  for (const CLI::App* command : app.get_subcommands({})) doc.commands.push_back(document(*command));
  return doc;
}

ValueKind value_kind(const OptionDoc& option) {
  if (option.value.empty()) return ValueKind::kNone;
  if (!option.choices.empty()) {
    const bool is_path = option.choices.front() == "DIR" || option.choices.front() == "FILE";
    return is_path ? ValueKind::kFile : ValueKind::kChoice;
  }
  if (option.value == "DIR") return ValueKind::kDirectory;
  for (const char* name : {"FILE", "PATH", "CONFIG", "WEIGHTS", "MODEL", "KEY"})
    if (option.value == name) return ValueKind::kFile;
  return ValueKind::kOther;
}

}  // namespace byteformer::cli
