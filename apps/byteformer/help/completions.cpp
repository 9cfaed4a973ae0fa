// Writes completion scripts for bash, zsh and fish.
#include <fmt/format.h>

#include "help/command_doc.hpp"

namespace byteformer::cli {
namespace {

std::vector<std::string> flags(const OptionDoc& option) {
  std::vector<std::string> result;
  for (const std::string& name : option.short_names) result.push_back("-" + name);
  for (const std::string& name : option.long_names) result.push_back("--" + name);
  return result;
}

std::string command_names(const CommandDoc& program) {
  std::string names;
  for (const CommandDoc& command : program.commands)
    if (!command.is_hidden) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// `text` between single quotes, as bash and zsh read it.
std::string shell_quoted(const std::string& text) { return fmt::format("'{}'", replaced(text, "'", "'\\''")); }

// bash: one `case` over the command, within it one over the option before the cursor.

std::string bash_value_case(const OptionDoc& option) {
  const std::string pattern = fmt::format("{}", fmt::join(flags(option), "|"));
  switch (value_kind(option)) {
    case ValueKind::kNone: return "";
    case ValueKind::kDirectory: return fmt::format("        {}) _byteformer_paths -d; return ;;\n", pattern);
    case ValueKind::kFile: return fmt::format("        {}) _byteformer_paths -f; return ;;\n", pattern);
    case ValueKind::kChoice:
      return fmt::format("        {}) _byteformer_words '{}'; return ;;\n", pattern, fmt::join(option.choices, " "));
    case ValueKind::kOther: return fmt::format("        {}) return ;;\n", pattern);
  }
  return "";
}

std::string bash_option_words(const CommandDoc& command) {
  std::string words;
  for (const OptionDoc& option : command.options)
    if (!option.is_positional) words += fmt::format("{}{}", words.empty() ? "" : " ", fmt::join(flags(option), " "));
  return words;
}

std::string bash_command_case(const CommandDoc& command);

/// \param depth  how many words stand before the name of a command
std::string bash_command_cases(const CommandDoc& program, int depth) {
  std::string cases;
  for (const CommandDoc& command : program.commands)
    if (!command.is_hidden) cases += bash_command_case(command);
  return fmt::format(
      "  if ((COMP_CWORD == {0})); then _byteformer_words '{1} {2}'; return; fi\n"
      "  case ${{COMP_WORDS[{0}]}} in\n{3}  esac",
      depth, command_names(program), bash_option_words(program), cases);
}

std::string bash_command_case(const CommandDoc& command) {
  if (!command.commands.empty()) return fmt::format("    {})\n{} ;;\n", command.name, bash_command_cases(command, 2));
  std::string values;
  std::string positional = "return";
  for (const OptionDoc& option : command.options) {
    if (option.is_positional) {
      positional = option.choices.empty() ? "_byteformer_paths -f"
                                          : fmt::format("_byteformer_words '{}'", fmt::join(option.choices, " "));
      continue;
    }
    values += bash_value_case(option);
  }
  return fmt::format(
      "    {})\n      case $previous in\n{}      esac\n"
      "      if [[ $current == -* ]]; then _byteformer_words '{}'; else {}; fi ;;\n",
      command.name, values, bash_option_words(command), positional);
}

// zsh: one `_arguments` a command.

std::string zsh_action(const OptionDoc& option) {
  switch (value_kind(option)) {
    case ValueKind::kNone: return "";
    case ValueKind::kDirectory: return fmt::format(":{}:_files -/", option.value);
    case ValueKind::kFile: return fmt::format(":{}:_files", option.value);
    case ValueKind::kChoice: return fmt::format(":value:({})", fmt::join(option.choices, " "));
    case ValueKind::kOther: return fmt::format(":{}: ", option.value);
  }
  return "";
}

std::string zsh_arguments(const CommandDoc& command) {
  std::string text;
  for (const OptionDoc& option : command.options) {
    if (option.is_positional) {
      text += fmt::format(" \\\n        {}", shell_quoted((option.takes_many ? "*" : "1") + zsh_action(option)));
      continue;
    }
    std::string description = replaced(option.description, "\\", "\\\\");
    for (const char* special : {"[", "]", ":"})
      description = replaced(description, special, std::string("\\") + special);
    for (const std::string& flag : flags(option))
      text +=
          fmt::format(" \\\n        {}", shell_quoted(fmt::format("{}[{}]{}", flag, description, zsh_action(option))));
  }
  return text;
}

/// What stands after the name of `program` or a group: its options, and its commands with what stands after theirs.
std::string zsh_commands(const CommandDoc& program) {
  std::string names;
  std::string cases;
  for (const CommandDoc& command : program.commands) {
    if (command.is_hidden) continue;
    names += fmt::format("\n    {}", shell_quoted(command.name + ":" + replaced(command.summary, ":", "\\:")));
    cases += command.commands.empty()
                 ? fmt::format("    {})\n      _arguments -s{} ;;\n", command.name, zsh_arguments(command))
                 : fmt::format("    {})\n{} ;;\n", command.name, zsh_commands(command));
  }
  return fmt::format(R"(  commands=({}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands '{} command' commands
    _arguments{}
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
{}  esac)",
                     names, program.path, zsh_arguments(program), cases);
}

// fish: one `complete` an option.

std::string fish_quoted(const std::string& text) {
  return fmt::format("'{}'", replaced(replaced(text, "\\", "\\\\"), "'", "\\'"));
}

std::string fish_action(const OptionDoc& option) {
  switch (value_kind(option)) {
    case ValueKind::kNone: return "";
    case ValueKind::kDirectory: return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kFile: return " -r -F";
    case ValueKind::kChoice: return fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
    case ValueKind::kOther: return " -x";
  }
  return "";
}

std::string fish_option(const std::string& condition, const OptionDoc& option) {
  std::string text = fmt::format("complete -c byteformer -n '{}'", condition);
  for (const std::string& name : option.short_names) text += " -s " + name;
  for (const std::string& name : option.long_names) text += " -l " + name;
  const std::string action = fish_action(option);
  return option.is_positional ? text + action + "\n" : text + action + " -d " + fish_quoted(option.description) + "\n";
}

/// The options of `program` or a group and its commands where `condition` holds, and what stands after theirs.
std::string fish_commands(const CommandDoc& program, const std::string& condition) {
  std::string text;
  for (const OptionDoc& option : program.options) text += fish_option(condition, option);
  for (const CommandDoc& command : program.commands) {
    if (command.is_hidden) continue;
    text += fmt::format("complete -c byteformer -n '{}' -a {} -d {}\n", condition, command.name,
                        fish_quoted(command.summary));
    const std::string here = "__fish_seen_subcommand_from " + command.name;
    if (!command.commands.empty())
      text += fish_commands(command,
                            fmt::format("{}; and not __fish_seen_subcommand_from {}", here, command_names(command)));
    else
      for (const OptionDoc& option : command.options) text += fish_option(here, option);
  }
  return text;
}

}  // namespace

std::string bash_completions(const CommandDoc& program) {
  return fmt::format(R"(# bash completion for byteformer; written by `byteformer completions bash`
_byteformer_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }}
_byteformer_paths() {{ compopt -o filenames; mapfile -t COMPREPLY < <(compgen "$1" -- "$current"); }}
_byteformer() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  COMPREPLY=()
{}
}}
complete -F _byteformer byteformer
)",
                     bash_command_cases(program, 1));
}

std::string zsh_completions(const CommandDoc& program) {
  return fmt::format(R"(#compdef byteformer
# zsh completion for byteformer; written by `byteformer completions zsh`
_byteformer() {{
  local -a commands
{}
}}
_byteformer "$@"
)",
                     zsh_commands(program));
}

std::string fish_completions(const CommandDoc& program) {
  std::string text = "# fish completion for byteformer; written by `byteformer completions fish`\n";
  text += "complete -c byteformer -f\n";
  return text + fish_commands(program, "__fish_use_subcommand");
}

}  // namespace byteformer::cli
