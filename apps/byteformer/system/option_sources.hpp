// Values of a command's options from elsewhere: the environment, and a YAML file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli.hpp"

namespace byteformer::cli {

/// The command line wins over the environment, and that over the file.
class OptionSources {
 public:
  /// Watches which options of `line` the command line gives. To be made when all are declared, before they are parsed;
  /// `line` must outlive this.
  /// \param prefix  of the environment's variables: "BYTEFORMER_SERVE_" gives --max-body BYTEFORMER_SERVE_MAX_BODY
  OptionSources(CommandLine& line, std::string prefix);

  /// Sets what the command line left open from the environment. Of an option that may be given more than once the
  /// values are separated by spaces; a flag is 0 or 1. \throws UsageError naming the variable
  void read_environment();

  /// Sets what is still open from a file of `name: value`; a list where an option may be given more than once.
  /// \throws UsageError, Error kInvalidFormat, and as base::read_text_file()
  void read_file(const std::string& path);

  /// What is set, as such a file, with where it comes from; and in comments what is not.
  /// \throws Error kInvalidArgument for a value that is not UTF-8
  std::string yaml() const;

 private:
  struct Row {
    Option* option;
    std::string name;  ///< without dashes
    std::function<void(const std::vector<std::string>&)> store;
    std::vector<std::string> values = {};
    std::string from = {};  ///< empty: not set

    bool is_set() const { return !from.empty() || (option->flag != nullptr && *option->flag); }
  };

  static void set(Row& row, const std::vector<std::string>& values, const std::string& from);

  std::string prefix_;
  std::vector<std::shared_ptr<Row>> rows_;  ///< shared with what the options store by
};

}  // namespace byteformer::cli
