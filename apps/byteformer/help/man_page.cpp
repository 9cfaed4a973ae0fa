// Writes byteformer.1: every command, its options and examples, in roff.
#include <fmt/format.h>

#include <sstream>

#include "help/command_doc.hpp"

namespace byteformer::cli {
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
