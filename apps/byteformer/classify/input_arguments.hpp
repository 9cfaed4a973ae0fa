// The options that say which files a command reads: paths, a list of paths, folders.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "classify/inputs.hpp"
#include "console.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {

struct CommandLine;

struct InputArguments {
  std::vector<std::string> paths;
  std::optional<std::string> files_from;
  bool is_recursive = false;
  bool is_null_separated = false;
};

/// \param verb what the command does with files: "Classify"
void add_input_arguments(CommandLine& line, InputArguments& arguments, const std::string& verb,
                         const std::string& paths_description);

/// \throws UsageError where the arguments contradict each other, or ask for a standard input that is closed.
void check(const InputArguments& arguments, const Console& console);

/// The inputs that checked arguments name. `list_file` keeps the list open and must outlive them.
/// \throws UsageError if the list cannot be opened.
Inputs open_inputs(const InputArguments& arguments, std::optional<InputStream>& list_file, Console& console);

}  // namespace byteformer::cli
