// `byteformer completions SHELL` and `byteformer man`: what packages install, from the same source as --help.
#include <memory>

#include "application.hpp"
#include "byteformer/version.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "exit_status.hpp"
#include "help/command_doc.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails = R"(Examples:
  byteformer completions bash > ~/.local/share/bash-completion/completions/byteformer
  byteformer completions zsh > ~/.zfunc/_byteformer
  byteformer completions fish > ~/.config/fish/completions/byteformer.fish)";

std::string completions_for(const std::string& shell, const CommandDoc& program) {
  if (shell == "bash") return bash_completions(program);
  if (shell == "zsh") return zsh_completions(program);
  return fish_completions(program);
}

}  // namespace

Action add_completions(CommandLine& line) {
  auto shell = std::make_shared<std::optional<std::string>>();
  add_choice(line, "SHELL", *shell, {"bash", "zsh", "fish"}, "The shell that reads the script").required();
  set_details(line, kDetails);
  return [shell](Console& console) {
    console.out << completions_for(shell->value(), Application().document());
    return kExitOk;
  };
}

Action add_man(CommandLine&) {
  return [](Console& console) {
    console.out << man_page(Application().document(), version());
    return kExitOk;
  };
}

}  // namespace byteformer::cli
