// Options with checked values: what CLI11 leaves to each program, done once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "byteformer/classifier.hpp"

namespace CLI {  // its header takes seven seconds a file: only this module's implementation, application and help see
                 // it
class App;
class Option;
}  // namespace CLI

namespace byteformer::cli {

/// An option that has been added, for what else is to be said of it.
class DeclaredOption {
 public:
  explicit DeclaredOption(CLI::Option* option) : option_(option) {}
  DeclaredOption required() const;
  DeclaredOption excludes(DeclaredOption other) const;
  DeclaredOption excludes(const std::string& name) const;

 private:
  CLI::Option* option_;
};

/// The text below a command's options: details, examples, formats.
void set_details(CLI::App& app, const std::string& text);

/// Inclusive bounds of a whole number.
struct NumberRange {
  std::int64_t min, max;
};

// Each adds one option to `app`; `names` is CLI11's ("-k,--top-k", or "PATH" for a positional). A value that makes no
// sense is a usage error that says what would. The last of several wins, so that aliases can be overridden.

DeclaredOption add_flag(CLI::App& app, const std::string& names, bool& value, const std::string& description);
DeclaredOption add_text(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                        const std::string& value_name, const std::string& description);
/// One that may be given more than once; all of its values count.
DeclaredOption add_texts(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                         const std::string& value_name, const std::string& description);
DeclaredOption add_number(CLI::App& app, const std::string& names, std::optional<std::int64_t>& value,
                          NumberRange range, const std::string& description);
DeclaredOption add_fraction(CLI::App& app, const std::string& names, std::optional<float>& value,
                            const std::string& value_name, const std::string& description);
DeclaredOption add_decimal(CLI::App& app, const std::string& names, std::optional<double>& value, double min,
                           double max, const std::string& description);
/// A time such as 90s, 30m, 2h, or seconds without a unit.
DeclaredOption add_duration(CLI::App& app, const std::string& names, std::optional<double>& seconds,
                            const std::string& description);
DeclaredOption add_choice(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                          const std::vector<std::string>& choices, const std::string& description);
DeclaredOption add_paths(CLI::App& app, const std::string& name, std::vector<std::string>& paths,
                         const std::string& description);

/// The options that say which model runs, and how.
struct ModelOptions {
  std::optional<std::string> dir;
  std::optional<std::int64_t> num_threads;
  std::optional<std::string> masking;
  std::optional<std::string> precision;
};
void add_model_options(CLI::App& app, ModelOptions& options);
void add_masking_option(CLI::App& app, std::optional<std::string>& masking);
std::optional<Masking> parse_masking_option(const std::optional<std::string>& masking);
Classifier load_classifier(const ModelOptions& options);

/// Parses the words after a command's name into the options that `app` declares.
/// \throws UsageError; CLI::CallForHelp where help was asked for.
void parse_arguments(CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace byteformer::cli
