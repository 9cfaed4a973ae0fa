// The program without its process: which command runs, and what its failures become.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/commands.hpp"
#include "console.hpp"

namespace byteformer::cli {

/// The commands with their options (documentation included) and what they do.
class Application {
 public:
  Application();

  ~Application();

  const CLI::App& app() const noexcept { return *app_; }
  bool has_command(const std::string& name) const;

  /// Runs the command that `arguments` (without the program's name) ask for.
  /// \returns an exit status. \throws UsageError, ClosedPipe, Interrupted, Error.
  int run(const std::vector<std::string>& arguments, Console& console);

 private:
  using AddCommand = Action (*)(CLI::App&);
  void add(const std::string& name, const std::string& summary, AddCommand add_command, bool is_hidden = false);
  int run_command(const std::string& name, const std::vector<std::string>& arguments, Console& console);

  std::unique_ptr<CLI::App> app_;
  std::vector<std::pair<CLI::App*, Action>> commands_;
};

/// Runs the program; every failure becomes one line on `console.err` and an exit status.
int run(const std::vector<std::string>& arguments, Console& console);

}  // namespace byteformer::cli
