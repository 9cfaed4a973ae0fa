// Headings, usage lines, what a value is; and `--help`, laid out for a terminal of 80 columns.
#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "help/command_doc.hpp"
#include "output/text.hpp"

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

namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kDescriptionColumn = 26;

/// `text` broken between words into lines that start at `indent`; the first one starts where the caller stands.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string result;
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    const std::size_t width = display_width(word);
    if (column > indent && column + 1 + width > kColumns) {
      result.append(1, '\n').append(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += width;
  }
  return result;
}

std::string entry(const std::string& heading, const std::string& description) {
  std::string line = "  " + heading;
  if (line.size() + 2 > kDescriptionColumn) line += "\n";
  const std::size_t used = line.back() == '\n' ? 0 : line.size();
  return line + std::string(kDescriptionColumn - used, ' ') + wrapped(description, kDescriptionColumn) + "\n";
}

std::string option_list(const CommandDoc& command, bool positional) {
  std::string text;
  for (const OptionDoc& option : command.options)
    if (option.is_positional == positional) text += entry(option.heading(), option.text());
  return text;
}

/// Lines that follow one another are a paragraph; empty and indented lines stand as they are.
std::string details(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  std::string paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) result += wrapped(std::exchange(paragraph, ""), 0) + "\n";
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with("  ")) {
      end_paragraph();
      result += line + "\n";
    } else {
      paragraph += line + " ";
    }
  }
  end_paragraph();
  return result;
}

std::string command_list(const CommandDoc& program) {
  std::string text;
  for (const CommandDoc& command : program.commands)
    if (!command.is_hidden) text += entry(command.name, command.summary);
  return text;
}

}  // namespace

std::string help_page(const CommandDoc& command) {
  std::string text = fmt::format("{}\n\nUsage: {}\n", wrapped(command.summary, 0), command.usage());
  if (const std::string commands = command_list(command); !commands.empty())
    text += fmt::format("\nCommands:\n{}", commands);
  if (const std::string arguments = option_list(command, true); !arguments.empty())
    text += fmt::format("\nArguments:\n{}", arguments);
  text += fmt::format("\nOptions:\n{}", option_list(command, false));
  if (!command.details.empty()) text += fmt::format("\n{}", details(command.details));
  return text;
}

}  // namespace byteformer::cli
