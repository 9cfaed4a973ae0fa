// Declares the options that name files, and opens what they name.
#include "classify/input_arguments.hpp"

#include <algorithm>
#include <utility>

#include "cli.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {

void add_input_arguments(CommandLine& line, InputArguments& arguments, const std::string& verb,
                         const std::string& paths_description) {
  add_paths(line, "PATH", arguments.paths, paths_description);
  add_flag(line, "-r,--recursive", arguments.is_recursive, verb + " the files below folders, sorted by name");
  add_text(line, "--files-from", arguments.files_from, "FILE",
           "Read more paths from FILE, one a line; `-` is standard input");
  add_flag(line, "-0,--null", arguments.is_null_separated, "Paths in --files-from end in a zero byte, not a newline");
}

void check(const InputArguments& arguments, const Console& console) {
  const auto num_dashes = std::count(arguments.paths.begin(), arguments.paths.end(), "-");
  const bool lists_from_stdin = arguments.files_from == "-";
  if (num_dashes > 1) throw UsageError("`-` is given more than once, but standard input can be read only once");
  if (num_dashes > 0 && lists_from_stdin) throw UsageError("`-` and `--files-from -` cannot both read standard input");
  if ((num_dashes > 0 || lists_from_stdin) && console.in == nullptr) throw UsageError("standard input is closed");
  if (arguments.is_null_separated && !arguments.files_from) throw UsageError("--null needs --files-from");
}

Inputs open_inputs(const InputArguments& arguments, std::optional<InputStream>& list_file, Console& console) {
  InputOptions inputs{.paths = arguments.paths,
                      .list_separator = arguments.is_null_separated ? '\0' : '\n',
                      .is_recursive = arguments.is_recursive};
  if (arguments.files_from == "-") {
    inputs.list = console.in;
  } else if (arguments.files_from) {
    inputs.list = &list_file.emplace(*arguments.files_from);
  }
  return Inputs(std::move(inputs));
}

}  // namespace byteformer::cli
