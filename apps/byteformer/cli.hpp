// The one door to CLI11: a command declares its options here as rows with checked values; they are parsed, and help,
// man page and completions read the same rows.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"
#include "help/command_doc.hpp"

namespace byteformer::cli {

/// An option as it is declared: what people read of it, and what becomes of its values.
struct Option {
  std::string names;  ///< "-k,--top-k", or "PATH" for a positional
  OptionDoc doc;
  bool* flag = nullptr;                                             ///< of a flag, which has no value
  std::function<void(const std::vector<std::string>&)> store = {};  ///< else: takes the values. \throws UsageError
  bool takes_one_at_a_time = false;                                 ///< of a list: each value needs the name anew
  std::vector<std::string> excluded = {};                           ///< names of options that cannot be given beside it
};

/// What a command takes: its options in the order of help, and the text below them.
struct CommandLine {
  std::deque<Option> options;
  std::string details;
};

/// An option that has been added, for what else is to be said of it.
class DeclaredOption {
 public:
  explicit DeclaredOption(Option& option) : option_(&option) {}
  DeclaredOption required() const;
  DeclaredOption excludes(DeclaredOption other) const;
  DeclaredOption excludes(const std::string& name) const;

 private:
  Option* option_;
};

/// The text below a command's options: details, examples, formats.
void set_details(CommandLine& line, const std::string& text);

/// Inclusive bounds of a whole number.
struct NumberRange {
  std::int64_t min, max;
};

// Each adds one option to `line`; `names` as in Option. A value that makes no
// sense is a usage error that says what would. The last of several wins, so that aliases can be overridden.

DeclaredOption add_flag(CommandLine& line, const std::string& names, bool& value, const std::string& description);
DeclaredOption add_text(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                        const std::string& value_name, const std::string& description);
/// One that may be given more than once; all of its values count.
DeclaredOption add_texts(CommandLine& line, const std::string& names, std::vector<std::string>& values,
                         const std::string& value_name, const std::string& description);
DeclaredOption add_number(CommandLine& line, const std::string& names, std::optional<std::int64_t>& value,
                          NumberRange range, const std::string& description);
DeclaredOption add_fraction(CommandLine& line, const std::string& names, std::optional<float>& value,
                            const std::string& value_name, const std::string& description);
DeclaredOption add_decimal(CommandLine& line, const std::string& names, std::optional<double>& value, double min,
                           double max, const std::string& description);
/// A time such as 90s, 30m, 2h, or seconds without a unit; the bounds are in seconds.
DeclaredOption add_duration(CommandLine& line, const std::string& names, std::optional<double>& seconds, double min,
                            double max, const std::string& description);
DeclaredOption add_choice(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                          const std::vector<std::string>& choices, const std::string& description);
DeclaredOption add_paths(CommandLine& line, const std::string& name, std::vector<std::string>& paths,
                         const std::string& description);

/// The options that say which model runs, and how.
struct ModelOptions {
  std::optional<std::string> dir;
  std::optional<std::int64_t> num_threads;
  std::optional<std::string> masking;
  std::optional<std::string> precision;
};
/// Whether --model has to be given, or default_model() stands in for it.
enum class ModelNeed { kRequired, kHasDefault };
void add_model_options(CommandLine& line, ModelOptions& options, ModelNeed need = ModelNeed::kRequired);

/// The model where none is named: BYTEFORMER_MODEL, else the one that tells file types, in the source tree that this
/// program was built in or installed with it.
/// \throws UsageError where there is none.
std::string default_model();

void add_masking_option(CommandLine& line, std::optional<std::string>& masking);
std::optional<Masking> parse_masking_option(const std::optional<std::string>& masking);
Classifier load_classifier(const ModelOptions& options);

/// Of CLI11.
const char* parser_version();

/// Parses the words after a command's name into what `line` declares. \returns false where help is asked for instead.
/// \throws UsageError
bool parse_arguments(const CommandLine& line, const std::vector<std::string>& arguments);

}  // namespace byteformer::cli
