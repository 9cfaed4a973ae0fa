// The tree of commands and the one place that catches.
#include "application.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <new>
#include <optional>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "cli.hpp"
#include "common/interrupt.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kSummary = "transformers that read file bytes: classify any file without decoding it";

constexpr const char* kOverview = R"(Examples:
  byteformer classify --model models/cifar10 photo.jpg
  byteformer classify --model models/cifar10 -r --jsonl photos/ > answers.jsonl
  byteformer train --data photos/ -o models/mine
  byteformer eval --model models/mine --data photos/
  byteformer explain --model models/cifar10 photo.jpg --html why.html
  byteformer encode photos/*.jpg -o encoded --to tiff --resize 256 --crop 224
  byteformer obfuscate rekey models/cifar10 --key my.key -o models/keyed
  byteformer camera simulate photo.jpg --keep-frac 0.1 -o seen.png
  byteformer experiments run image_tiff
  byteformer import weights.pt --config config.yaml -o models/tiny
  byteformer inspect --model models/cifar10
  byteformer serve --model models/cifar10
  byteformer bench --model models/cifar10

Results go to standard output, everything else to standard error.
`byteformer COMMAND --help` explains a command.

Exit status:
  0  all good
  1  some or all inputs failed; the others are answered
  2  the command line makes no sense
  3  the model cannot be used, output cannot be written, or a bug
  130  interrupted by Ctrl-C

Environment:
  BYTEFORMER_KERNELS  forces an instruction set (byteformer inspect --system)
  NO_COLOR            if set, no colour)";

int exit_status_of(ErrorCode code) { return code == ErrorCode::kInvalidArgument ? kExitUsage : kExitFailure; }

constexpr const char* kObfuscate =
    R"(A key replaces every byte value by another. A model becomes one for such bytes without retraining, and gives
bit for bit the same logits. This hides bytes from readers and decoders of files, not from an attacker:
docs/privacy.md measures how little it takes to undo.

Examples:
  byteformer obfuscate keygen -o my.key
  byteformer encode -r photos/ -o plain --like models/cifar10
  byteformer obfuscate apply --key my.key -r plain/ -o secret
  byteformer obfuscate rekey models/cifar10 --key my.key -o models/keyed
  byteformer classify --model models/keyed --as-is -r secret/)";

constexpr const char* kCamera =
    R"(Of every picture of one size the same random bytes are kept, and the others never leave the sensor: the mask of
the published experiments (mask_positions in a model's "preprocess").

Examples:
  byteformer camera mask --keep-frac 0.05 --bytes 150528 -o mask.txt
  byteformer camera simulate photo.jpg --keep-frac 0.05 --crop 224 -o seen.png)";

constexpr const char* kExperiments =
    R"(Each experiment of the paper is a recipe, a file in recipes/: its question, data, settings and seeds, at the paper's scale
and at a small one that needs minutes on two cores.

Examples:
  byteformer experiments list
  byteformer experiments show jpeg_q60_k4_w128
  scripts/unpack_data.sh ARCHIVES/                    # the data of the small scale
  byteformer experiments run order_reverse
  byteformer experiments run all --resume)";

constexpr const char* kCompletions = R"(Examples:
  byteformer completions bash > ~/.local/share/bash-completion/completions/byteformer
  byteformer completions zsh > ~/.zfunc/_byteformer
  byteformer completions fish > ~/.config/fish/completions/byteformer.fish)";

std::string completions_for(const std::string& shell, const CommandDoc& program) {
  if (shell == "bash") return bash_completions(program);
  if (shell == "zsh") return zsh_completions(program);
  return fish_completions(program);
}

Action add_completions(CommandLine& line) {
  auto shell = std::make_shared<std::optional<std::string>>();
  add_choice(line, "SHELL", *shell, {"bash", "zsh", "fish"}, "The shell that reads the script").required();
  line.details = kCompletions;
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

const OptionDoc kHelp{{"h"}, {"help"}, "", {}, "Show this help"};
const OptionDoc kVersion{{"V"}, {"version"}, "", {}, "Show the version"};

bool asks_for_help(const std::string& argument) { return argument == "-h" || argument == kHelpOption; }

[[noreturn]] void throw_unknown(const std::string& word, const CommandDoc& group) {
  const auto names = base::words_of(group.commands, &CommandDoc::name);
  throw UsageError(fmt::format("unknown {} `{}`{}", word.starts_with("-") ? "option" : "command", word,
                               base::did_you_mean(word, names)));
}

/// The program or a group where no command follows its name.
int run_group(const CommandDoc& group, const std::vector<std::string>& arguments, Console& console) {
  if (arguments.empty() || asks_for_help(arguments[0])) {
    (arguments.empty() ? console.err : console.out) << help_page(group) << std::flush;
    return arguments.empty() ? kExitUsage : kExitOk;
  }
  const bool is_program = group.name == group.path;
  if (!is_program || (arguments[0] != "-V" && arguments[0] != "--version")) throw_unknown(arguments[0], group);
  console.out << "byteformer " << version() << "\n";
  return kExitOk;
}

}  // namespace

/// A command, or a group of commands. A command gets its options when they are needed: one run needs those of one, and
/// all together take longer than what a small model computes.
struct Application::Command {
  std::string name, path, summary;
  AddCommand add_options = nullptr;  ///< of a command; a group has none
  bool is_hidden = false;
  CommandLine line{};            ///< options once they are needed; the details of a group
  std::list<Command> members{};  ///< of a group, and of the program
  Action action = nullptr;       ///< of a command that has its options

  Command& add(const std::string& member, const std::string& what, AddCommand add_command, bool hides = false) {
    return members.emplace_back(Command{member, path + " " + member, what, add_command, hides});
  }
  Command& add_group(const std::string& member, const std::string& what, const char* details) {
    Command& group = add(member, what, nullptr);
    group.line.details = details;
    return group;
  }

  void add_own_options() {
    if (add_options != nullptr && !action) action = add_options(line);
  }
  void add_all_options() {
    add_own_options();
    for (Command& member : members) member.add_all_options();
  }

  CommandDoc document() const {
    CommandDoc doc{name, path, summary, line.details, is_hidden, {kHelp}, {}};
    if (name == path) doc.options.push_back(kVersion);
    for (const Option& option : line.options) doc.options.push_back(option.doc);
    for (const Command& member : members) doc.commands.push_back(member.document());
    return doc;
  }
};

Application::Application() : program_(std::make_unique<Command>(Command{"byteformer", "byteformer", kSummary})) {
  Command& program = *program_;
  program.line.details = kOverview;
  program.add("classify", "Say what files are, from their bytes alone", add_classify);
  program.add("gather", "Join the answers of a job that many machines classified", add_gather);
  program.add("train", "Make a model of a folder of labelled files", add_train);
  program.add("eval", "Say how often a model is right about labelled files", add_eval);
  program.add("explain", "Show which bytes of a file decided", add_explain);
  program.add("encode", "Write pictures and sounds as the bytes that models read", add_encode);
  Command& obfuscate =
      program.add_group("obfuscate", "Permute byte values by a key, in files and in models", kObfuscate);
  obfuscate.add("keygen", "Make a key", add_obfuscate_keygen);
  obfuscate.add("apply", "Obfuscate files or a stream, or undo it", add_obfuscate_apply);
  obfuscate.add("rekey", "Make a model for obfuscated bytes, with no retraining", add_obfuscate_rekey);
  Command& camera = program.add_group("camera", "Show what a camera keeps that never forms an image", kCamera);
  camera.add("mask", "Write which positions are kept", add_camera_mask);
  camera.add("simulate", "Write a picture of what a person could see", add_camera_simulate);
  Command& experiments = program.add_group("experiments", "Repeat the experiments of the paper", kExperiments);
  experiments.add("list", "List them, with what is done", add_experiments_list);
  experiments.add("show", "Show one: question, data, command, what the paper says", add_experiments_show);
  experiments.add("run", "Train, judge, and write the results", add_experiments_run);
  experiments.add("report", "Write the results page anew from the logs", add_experiments_report);
  program.add("serve", "Answer over HTTP: inference servers' protocol, uploads, a page", add_serve);
  program.add("inspect", "Show a model's layers and costs, or this machine", add_inspect);
  program.add("bench", "Measure speed and memory of a model on this machine", add_bench);
  program.add("import", "Make a model folder of published weights", add_import);
  program.add("export", "Write a model's weights for PyTorch or as safetensors", add_export);
  program.add("completions", "Print the completion script for a shell", add_completions);
  program.add("man", "Print the man page in roff", add_man, /*is_hidden=*/true);
}

Application::~Application() = default;

CommandDoc Application::document() {
  program_->add_all_options();
  return program_->document();
}

/// The command or group that the first `num_names` of `arguments` name.
Application::Command& Application::find(const std::vector<std::string>& arguments, std::size_t& num_names) const {
  Command* found = program_.get();
  for (num_names = 0; num_names < arguments.size(); ++num_names) {
    const auto is_next = [&](const Command& member) { return member.name == arguments[num_names]; };
    const auto next = std::ranges::find_if(found->members, is_next);
    if (next == found->members.end()) break;
    found = &*next;
  }
  return *found;
}

std::string Application::command_of(const std::vector<std::string>& arguments) const {
  std::size_t num_names = 0;
  find(arguments, num_names);
  return fmt::format("{}",
                     fmt::join(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(num_names), " "));
}

int Application::run(std::vector<std::string> arguments, Console& console) {
  if (!arguments.empty() && arguments[0] == "help") {  // `help encode` is `encode --help`
    arguments.erase(arguments.begin());
    arguments.emplace_back(kHelpOption);
  }
  std::size_t num_names = 0;
  Command& command = find(arguments, num_names);
  arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(num_names));
  command.add_own_options();
  if (!command.action) return run_group(command.document(), arguments, console);
  if (!parse_arguments(command.line, arguments)) {
    console.out << help_page(command.document());
    return kExitOk;
  }
  return command.action(console);
}

int run(const std::vector<std::string>& arguments, Console& console) {
  Application application;
  const std::string command = application.command_of(arguments);
  try {
    const int status = application.run(arguments, console);
    console.out.flush();
    return status;
  } catch (const ClosedPipe&) {
    return kExitOk;
  } catch (const Interrupted&) {
    return kExitInterrupted;
  } catch (const UsageError& error) {
    complain(console, error.what(), command);
    console.err << "Try `byteformer " << (command.empty() ? "" : command + " ") << kHelpOption << "`.\n" << std::flush;
    return kExitUsage;
  } catch (const Error& error) {
    complain(console, error);
    return exit_status_of(error.code());
  } catch (const std::bad_alloc&) {
    complain(console, "out of memory");
    return kExitFailure;
  } catch (const std::exception& error) {
    complain(console, fmt::format("internal error: {}", error.what()));
    return kExitFailure;
  }
}

}  // namespace byteformer::cli
