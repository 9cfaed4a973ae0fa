// The one door to CLI11: a command declares its options here as rows with checked values; they are parsed, and help,
// man page and completions read the same rows.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "help/command_doc.hpp"

namespace byteformer::cli {

// Names that several commands give an option which is no setting of a training (those are in plan/settings.hpp).
inline constexpr const char* kHelpOption = "--help";
inline constexpr const char* kModelOption = "--model";
inline constexpr const char* kBytesOption = "--bytes";
inline constexpr const char* kAsIsOption = "--as-is";
inline constexpr const char* kKeyOption = "--key";
inline constexpr const char* kToOption = "--to";
inline constexpr const char* kForceOption = "--force";
inline constexpr const char* kRecursiveOption = "--recursive";
inline constexpr const char* kTarOption = "--tar";

/// An option as it is declared: what people read of it, and what becomes of its values.
struct Option {
  std::string names;  ///< "-k,--top-k", or "PATH" for a positional
  OptionDoc doc;
  bool* flag = nullptr;                                             ///< of a flag, which has no value
  std::function<void(const std::vector<std::string>&)> store = {};  ///< else: takes the values. \throws UsageError
  bool takes_one_at_a_time = false;                                 ///< of a list: each value needs the name anew
  std::vector<std::string> excluded = {};                           ///< names of options that cannot be given beside it

  Option& required();
  Option& excludes(const Option& other);
};

/// What a command takes: its options in the order of help, and the text below them (details, examples, formats).
struct CommandLine {
  std::deque<Option> options;  ///< where each stays
  std::string details;
};

/// Inclusive bounds of a whole number.
struct NumberRange {
  std::int64_t min, max;
};

// Each adds one option to `line`; `names` as in Option. A value that makes no
// sense is a usage error that says what would. The last of several wins, so that aliases can be overridden.

Option& add_flag(CommandLine& line, const std::string& names, bool& value, const std::string& description);
Option& add_text(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                 const std::string& value_name, const std::string& description);
/// One that may be given more than once; all of its values count.
Option& add_texts(CommandLine& line, const std::string& names, std::vector<std::string>& values,
                  const std::string& value_name, const std::string& description);
Option& add_number(CommandLine& line, const std::string& names, std::optional<std::int64_t>& value, NumberRange range,
                   const std::string& description);
Option& add_decimal(CommandLine& line, const std::string& names, std::optional<double>& value, double min, double max,
                    const std::string& description, const std::string& value_name = "X");
/// A time such as 90s, 30m, 2h, or seconds without a unit; the bounds are in seconds.
Option& add_duration(CommandLine& line, const std::string& names, std::optional<double>& seconds, double min,
                     double max, const std::string& description);
Option& add_choice(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                   const std::vector<std::string>& choices, const std::string& description);
Option& add_paths(CommandLine& line, const std::string& name, std::vector<std::string>& paths,
                  const std::string& description);

/// Of CLI11.
const char* parser_version();

/// Parses the words after a command's name into what `line` declares. \returns false where help is asked for instead.
/// \throws UsageError
bool parse_arguments(const CommandLine& line, const std::vector<std::string>& arguments);

}  // namespace byteformer::cli
