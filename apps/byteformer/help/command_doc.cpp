// Headings, usage lines, and what a value is.
#include "help/command_doc.hpp"

#include <fmt/format.h>

namespace byteformer::cli {
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
