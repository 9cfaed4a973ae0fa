// Implementation of application.hpp: the tree of commands and the one place that catches.
#include "application.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>

#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "common/interrupt.hpp"
#include "exit_status.hpp"
#include "help/command_doc.hpp"
#include "help/suggestion.hpp"
#include "options.hpp"
#include "system/descriptor_stream.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kSummary = "transformers that read file bytes: classify any file without decoding it";

constexpr const char* kOverview = R"(Examples:
  byteformer classify --model models/cifar10 photo.jpg
  byteformer classify --model models/cifar10 -r --jsonl photos/ > answers.jsonl
  byteformer train --data photos/ -o models/mine
  byteformer eval --model models/mine --data photos/
  byteformer encode photos/*.jpg -o encoded --to tiff --resize 256 --crop 224
  byteformer import weights.pt --config config.yaml -o models/tiny
  byteformer inspect --model models/cifar10
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

void complain(Console& console, const std::string& command, const std::string& message) {
  console.err << "byteformer" << (command.empty() ? "" : " " + command) << ": " << message << "\n" << std::flush;
}

int exit_status_of(ErrorCode code) { return code == ErrorCode::kInvalidArgument ? kExitUsage : kExitFailure; }

auto is_named(const std::string& name) {
  return [&name](const std::pair<CLI::App*, Action>& command) { return command.first->get_name() == name; };
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return arguments.empty() || arguments[0] == "-h" || arguments[0] == "--help" ||
         (arguments[0] == "help" && arguments.size() == 1);
}

}  // namespace

Application::Application() : app_(std::make_unique<CLI::App>(kSummary, "byteformer")) {
  app_->set_help_flag("-h,--help", "Show this help");
  app_->set_version_flag("-V,--version", "byteformer " + std::string(version()), "Show the version");
  app_->footer(kOverview);
  add("classify", "Say what files are, from their bytes alone", add_classify);
  add("train", "Make a model of a folder of labelled files", add_train);
  add("eval", "Say how often a model is right about labelled files", add_eval);
  add("encode", "Write pictures and sounds as the bytes that models read", add_encode);
  add("inspect", "Show a model's layers and costs, or this machine", add_inspect);
  add("bench", "Measure speed and memory of a model on this machine", add_bench);
  add("import", "Make a model folder of published weights", add_import);
  add("export", "Write a model's weights for PyTorch or as safetensors", add_export);
  add("completions", "Print the completion script for a shell", add_completions);
  add("man", "Print the man page in roff", add_man, /*is_hidden=*/true);
}

Application::~Application() = default;

void Application::add(const std::string& name, const std::string& summary, AddCommand add_command, bool is_hidden) {
  CLI::App* command = app_->add_subcommand(name, summary);
  command->set_help_flag("-h,--help", "Show this help");
  if (is_hidden) command->group("");
  commands_.emplace_back(command, add_command(*command));
}

bool Application::has_command(const std::string& name) const {
  return std::any_of(commands_.begin(), commands_.end(), is_named(name));
}

int Application::run(const std::vector<std::string>& arguments, Console& console) {
  if (asks_for_help(arguments)) {
    (arguments.empty() ? console.err : console.out) << overview_page(document(*app_)) << std::flush;
    return arguments.empty() ? kExitUsage : kExitOk;
  }
  if (arguments[0] == "-V" || arguments[0] == "--version") {
    console.out << "byteformer " << version() << "\n";
    return kExitOk;
  }
  if (arguments[0] == "help") return run_command(arguments[1], {"--help"}, console);
  return run_command(arguments[0], {arguments.begin() + 1, arguments.end()}, console);
}

int Application::run_command(const std::string& name, const std::vector<std::string>& arguments, Console& console) {
  const auto found = std::find_if(commands_.begin(), commands_.end(), is_named(name));
  if (found == commands_.end()) {
    std::vector<std::string> names;
    for (const auto& command : commands_) names.push_back(command.first->get_name());
    const auto nearest = nearest_word(name, names);
    const std::string hint = nearest ? fmt::format("; did you mean `{}`?", *nearest) : "";
    throw UsageError(fmt::format("unknown {} `{}`{}", name.starts_with("-") ? "option" : "command", name, hint));
  }
  const auto& [command, action] = *found;
  const CommandDoc doc = document(*command);
  try {
    parse_arguments(*command, arguments);
  } catch (const CLI::CallForHelp&) {
    console.out << help_page(doc);
    return kExitOk;
  }
  return action(console);
}

int run(const std::vector<std::string>& arguments, Console& console) {
  Application application;
  const bool has_command = !arguments.empty() && application.has_command(arguments[0]);
  const std::string command = has_command ? arguments[0] : "";
  try {
    const int status = application.run(arguments, console);
    console.out.flush();
    return status;
  } catch (const ClosedPipe&) {
    return kExitOk;
  } catch (const Interrupted&) {
    return kExitInterrupted;
  } catch (const UsageError& error) {
    complain(console, command, error.what());
    console.err << "Try `byteformer " << (has_command ? command + " " : "") << "--help`.\n" << std::flush;
    return kExitUsage;
  } catch (const Error& error) {
    complain(console, "", error.what());
    return exit_status_of(error.code());
  } catch (const std::bad_alloc&) {
    complain(console, "", "out of memory");
    return kExitFailure;
  } catch (const std::exception& error) {
    complain(console, "", fmt::format("internal error: {}", error.what()));
    return kExitFailure;
  }
}

}  // namespace byteformer::cli
