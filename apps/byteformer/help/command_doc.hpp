// The command line as plain data: the one source of help, the man page and the completions.
#pragma once

#include <string>
#include <vector>

namespace byteformer::cli {

struct OptionDoc {
  std::vector<std::string> short_names;  ///< without dashes
  std::vector<std::string> long_names;   ///< without dashes
  std::string value;                     ///< "DIR", "N", "released|masked"; empty for a flag; the name if positional
  std::vector<std::string> choices;      ///< the values there are, where these are few
  std::string description;
  bool is_positional = false;
  bool is_required = false;
  bool takes_many = false;

  /// "-m, --model DIR", "PATH..."
  std::string heading() const;

  /// The description, and whether it must be given.
  std::string text() const { return description + (is_required && !is_positional ? " (required)" : ""); }
};

struct CommandDoc {
  std::string name;     ///< "classify"; "byteformer" for the program itself
  std::string path;     ///< all that is typed to get here: "byteformer obfuscate apply"
  std::string summary;  ///< one line
  std::string details;  ///< paragraphs and sections; lines indented by two spaces stand as they are
  bool is_hidden = false;
  std::vector<OptionDoc> options;
  std::vector<CommandDoc> commands;  ///< of the program and of a group of commands

  /// "byteformer classify --model DIR [OPTION]... PATH..."
  std::string usage() const;
};

/// The text of `--help`: of a command, or of the program or a group an overview of its commands.
std::string help_page(const CommandDoc& command);

/// byteformer.1 in roff with the man macros.
std::string man_page(const CommandDoc& program, const std::string& version);

std::string bash_completions(const CommandDoc& program);
std::string zsh_completions(const CommandDoc& program);
std::string fish_completions(const CommandDoc& program);

/// What a value is, as far as a shell can complete it.
enum class ValueKind { kNone, kDirectory, kFile, kChoice, kOther };
ValueKind value_kind(const OptionDoc& option);

}  // namespace byteformer::cli
