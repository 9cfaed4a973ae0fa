// Headings, usage lines, what a value is; `--help`, laid out for a terminal of 80 columns; and byteformer.1: every
// command, its options and examples, in roff.
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
  if (option.value == "DIR" || option.value == "NAME=DIR") return ValueKind::kDirectory;
  for (const char* name : {"FILE", "PATH", "CONFIG", "WEIGHTS", "MODEL", "KEY", "DATA", "PAGE", "PAGE.html"})
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

namespace {

/// Text that roff takes literally: backslashes and dashes escaped, and no line that looks like a request.
std::string escaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool at_line_start = i == 0 || text[i - 1] == '\n';
    if (at_line_start && (text[i] == '.' || text[i] == '\'')) result += "\\&";
    if (text[i] == '\\') {
      result += "\\e";
    } else if (text[i] == '-') {
      result += "\\-";
    } else {
      result += text[i];
    }
  }
  return result;
}

/// Paragraphs, "Title:" lines as bold paragraphs, and indented lines as they stand.
std::string escaped_details(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  bool is_literal = false;
  for (std::string line; std::getline(lines, line);) {
    const bool is_indented = line.starts_with("  ");
    if (is_literal && !is_indented) result += ".EE\n.RE\n";
    if (!is_literal && is_indented) result += ".PP\n.RS 4\n.EX\n";
    is_literal = is_indented;
    if (is_indented) {
      result += escaped(line.substr(2)) + "\n";
    } else if (line.empty()) {
      result += ".PP\n";
    } else if (line.back() == ':' && line.find(' ') == std::string::npos) {
      result += fmt::format(".B {}\n", escaped(line));
    } else {
      result += escaped(line) + "\n";
    }
  }
  return is_literal ? result + ".EE\n.RE\n" : result;
}

std::string option_list(const CommandDoc& command) {
  std::string text;
  for (const OptionDoc& option : command.options)
    text += fmt::format(".TP\n.B {}\n{}\n", escaped(option.heading()), escaped(option.text()));
  return text;
}

/// A section, and one for each command of a group.
std::string command_sections(const CommandDoc& command) {
  if (command.is_hidden) return "";
  std::string text =
      fmt::format(".SS {}\n{}\n.PP\n.nf\n.B {}\n.fi\n{}.PP\n{}", escaped(command.path), escaped(command.summary + "."),
                  escaped(command.usage()), option_list(command), escaped_details(command.details));
  for (const CommandDoc& member : command.commands) text += command_sections(member);
  return text;
}

}  // namespace

std::string man_page(const CommandDoc& program, const std::string& version) {
  std::string text = fmt::format(".TH BYTEFORMER 1 \"\" \"byteformer {}\" \"User Commands\"\n", escaped(version));
  text += fmt::format(".SH NAME\nbyteformer \\- {}\n", escaped(program.summary));
  text += fmt::format(".SH SYNOPSIS\n.B byteformer\n.I COMMAND\n[OPTION]... [ARGUMENT]...\n");
  text += ".SH OPTIONS\n" + option_list(program) + ".SH COMMANDS\n";
  for (const CommandDoc& command : program.commands) text += command_sections(command);
  return text + ".SH NOTES\n" + escaped_details(program.details);
}

}  // namespace byteformer::cli
