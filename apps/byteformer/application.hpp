// The program without its process: which command runs, and what its failures become.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "commands/commands.hpp"
#include "console.hpp"
#include "help/command_doc.hpp"

namespace byteformer::cli {

/// The commands with their options (documentation included) and what they do.
class Application {
 public:
  Application();

  ~Application();

  /// The program with all commands and options.
  CommandDoc document();

  /// The command that `arguments` begin with: "classify", "obfuscate apply", or "obfuscate" where none of its commands
  /// follows; empty if there is none.
  std::string command_of(const std::vector<std::string>& arguments) const;

  /// Runs the command that `arguments` (without the program's name) ask for.
  /// \returns an exit status. \throws UsageError, ClosedPipe, Interrupted, Error.
  int run(std::vector<std::string> arguments, Console& console);

 private:
  using AddCommand = Action (*)(CommandLine&);
  struct Command;

  Command& find(const std::vector<std::string>& arguments, std::size_t& num_names) const;

  std::unique_ptr<Command> program_;
};

/// Runs the program; every failure becomes one line on `console.err` and an exit status.
int run(const std::vector<std::string>& arguments, Console& console);

}  // namespace byteformer::cli
