// Lays out `--help` for a terminal of 80 columns.
#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "help/command_doc.hpp"
#include "output/utf8.hpp"

namespace byteformer::cli {
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
  for (const OptionDoc& option : command.options) {
    if (option.is_positional != positional) continue;
    const bool says_required = option.is_required && !option.is_positional;
    text += entry(option.heading(), option.description + (says_required ? " (required)" : ""));
  }
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
