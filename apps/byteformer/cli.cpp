// Options as rows, their values checked, and their way through CLI11: the only file that sees its header, which takes
// seconds to compile.
#include "cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "exit_status.hpp"
#include "format/config.hpp"

namespace byteformer::cli {
namespace {

constexpr Precision kPrecisions[] = {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8};

constexpr std::int64_t kMaxThreads = 1024;

// CLI11 splits an argument like "[a,b]" into a list of two where an option takes many values, and so would lose a file
// of that name. A leading byte that no argument can have hides such arguments from it until they are stored.
constexpr char kGuard = '\x01';

std::string guarded(const std::string& argument) {
  const bool needs_guard = !argument.empty() && (argument.front() == '[' || argument.front() == kGuard);
  return needs_guard ? kGuard + argument : argument;
}

std::string unguarded(const std::string& argument) {
  return !argument.empty() && argument.front() == kGuard ? argument.substr(1) : argument;
}

/// What help says of the option with these names.
OptionDoc document(const std::string& names, const std::string& value_name, const std::string& description) {
  OptionDoc doc;
  std::istringstream parts(names);
  for (std::string name; std::getline(parts, name, ',');) {
    if (name.starts_with("--"))
      doc.long_names.push_back(name.substr(2));
    else if (name.starts_with("-"))
      doc.short_names.push_back(name.substr(1));
    else
      doc.is_positional = true;
  }
  doc.value = value_name;
  std::istringstream choices(value_name);
  for (std::string choice; std::getline(choices, choice, '|');) doc.choices.push_back(choice);
  if (doc.choices.size() < 2) doc.choices.clear();
  doc.description = description;
  return doc;
}

/// Adds an option whose text `store` turns into a value; the last of several wins.
DeclaredOption add_value(CommandLine& line, const std::string& names, const std::string& value_name,
                         const std::string& description, std::function<void(const std::string&)> store) {
  return DeclaredOption(line.options.emplace_back(
      Option{names, document(names, value_name, description), nullptr,
             [store = std::move(store)](const std::vector<std::string>& values) { store(values.back()); }}));
}

std::string joined(const std::vector<std::string>& choices, const char* separator) {
  return fmt::format("{}", fmt::join(choices, separator));
}

std::string first_name(const std::string& names) { return names.substr(names.rfind(',') + 1); }

/// Adds an option whose values add up, as they are.
Option& add_list(CommandLine& line, const std::string& names, std::vector<std::string>& values,
                 const std::string& value_name, const std::string& description) {
  Option& option = line.options.emplace_back(Option{names, document(names, value_name, description)});
  option.doc.takes_many = true;
  option.store = [&values, names](const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      if (argument.empty()) throw UsageError(first_name(names) + " must not be empty");
      values.push_back(argument);
    }
  };
  return option;
}

std::optional<double> parse_decimal(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string describe_unexpected(const CommandLine& line, const std::string& argument) {
  std::vector<std::string> known = {"--help"};
  for (const Option& option : line.options)
    for (const std::string& name : option.doc.long_names) known.push_back("--" + name);
  const bool is_option = argument.size() > 1 && argument.front() == '-';
  std::string text = fmt::format("{} `{}`", is_option ? "unknown option" : "unexpected argument", argument);
  if (is_option) text += base::did_you_mean(argument.substr(0, argument.find('=')), known);
  if (!is_option && std::ranges::find(known, "--model") != known.end())
    text += fmt::format("; did you mean `--model {}`?", argument);
  return text;
}

/// Hands one row to CLI11.
CLI::Option* declare(CLI::App& app, const Option& option) {
  if (option.flag != nullptr) return app.add_flag(option.names, *option.flag, option.doc.description);
  const auto store = [&option](const std::vector<std::string>& arguments) {
    std::vector<std::string> values;
    std::ranges::transform(arguments, std::back_inserter(values), unguarded);
    option.store(values);
  };
  CLI::Option* added = nullptr;
  if (option.doc.takes_many) {
    added = app.add_option_function<std::vector<std::string>>(option.names, store);
    if (option.takes_one_at_a_time) added->allow_extra_args(false);
  } else {
    added = app.add_option_function<std::string>(option.names, [store](const std::string& text) { store({text}); });
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  return added->type_name(option.doc.value)->required(option.doc.is_required);
}

/// "--steps excludes --time", as people say it.
std::string without_excludes(std::string message) {
  constexpr std::string_view kVerb = " excludes ";
  const std::size_t at = message.find(kVerb);
  return at == std::string::npos ? message : message.replace(at, kVerb.size(), " cannot be combined with ");
}

}  // namespace

DeclaredOption DeclaredOption::required() const {
  option_->doc.is_required = true;
  return *this;
}
DeclaredOption DeclaredOption::excludes(DeclaredOption other) const {
  return excludes(first_name(other.option_->names));
}
DeclaredOption DeclaredOption::excludes(const std::string& name) const {
  option_->excluded.push_back(name);
  return *this;
}

void set_details(CommandLine& line, const std::string& text) { line.details = text; }

DeclaredOption add_flag(CommandLine& line, const std::string& names, bool& value, const std::string& description) {
  return DeclaredOption(line.options.emplace_back(Option{names, document(names, "", description), &value}));
}

DeclaredOption add_text(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                        const std::string& value_name, const std::string& description) {
  return add_value(line, names, value_name, description, [&value, names](const std::string& text) {
    if (text.empty()) throw UsageError(first_name(names) + " must not be empty");
    value = text;
  });
}

DeclaredOption add_texts(CommandLine& line, const std::string& names, std::vector<std::string>& values,
                         const std::string& value_name, const std::string& description) {
  Option& option = add_list(line, names, values, value_name, description);
  option.takes_one_at_a_time = true;
  return DeclaredOption(option);
}

DeclaredOption add_number(CommandLine& line, const std::string& names, std::optional<std::int64_t>& value,
                          NumberRange range, const std::string& description) {
  return add_value(line, names, "N", description, [&value, names, range](const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || number < range.min || number > range.max)
      throw UsageError(fmt::format("{} must be a whole number from {} to {}, not `{}`", first_name(names), range.min,
                                   range.max, text));
    value = number;
  });
}

DeclaredOption add_fraction(CommandLine& line, const std::string& names, std::optional<float>& value,
                            const std::string& value_name, const std::string& description) {
  return add_value(line, names, value_name, description, [&value, names](const std::string& text) {
    float number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || !(number >= 0 && number <= 1))
      throw UsageError(fmt::format("{} must be a number from 0 to 1, not `{}`", first_name(names), text));
    value = number;
  });
}

DeclaredOption add_decimal(CommandLine& line, const std::string& names, std::optional<double>& value, double min,
                           double max, const std::string& description) {
  return add_value(line, names, "X", description, [&value, names, min, max](const std::string& text) {
    const std::optional<double> number = parse_decimal(text);
    if (!number || !(*number >= min && *number <= max))
      throw UsageError(fmt::format("{} must be a number from {} to {}, not `{}`", first_name(names), min, max, text));
    value = number;
  });
}

DeclaredOption add_duration(CommandLine& line, const std::string& names, std::optional<double>& seconds, double min,
                            double max, const std::string& description) {
  return add_value(line, names, "TIME", description, [&seconds, names, min, max](const std::string& text) {
    const std::size_t unit = text.find_last_not_of("smhd") + 1;
    const std::string_view units = std::string_view(text).substr(unit);
    const double factor = units == "d" ? 86'400 : units == "h" ? 3'600 : units == "m" ? 60 : 1;
    const std::optional<double> number = parse_decimal(text.substr(0, unit));
    if (!number || units.size() > 1 || !(*number * factor >= min && *number * factor <= max))
      throw UsageError(fmt::format("{} must be a time such as 90s, 30m or 2h, not `{}`", first_name(names), text));
    seconds = *number * factor;
  });
}

DeclaredOption add_choice(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                          const std::vector<std::string>& choices, const std::string& description) {
  return add_value(line, names, joined(choices, "|"), description, [&value, names, choices](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      throw UsageError(fmt::format("{} must be {}, not `{}`", first_name(names), joined(choices, " or "), text));
    value = text;
  });
}

DeclaredOption add_paths(CommandLine& line, const std::string& name, std::vector<std::string>& paths,
                         const std::string& description) {
  return DeclaredOption(add_list(line, name, paths, name, description));
}

void add_masking_option(CommandLine& line, std::optional<std::string>& masking) {
  add_choice(line, "--masking", masking, {"released", "masked"},
             "Meaning of padding: as the published code runs, or as the paper describes (default: the model's)");
}

std::optional<Masking> parse_masking_option(const std::optional<std::string>& masking) {
  if (!masking) return std::nullopt;
  return format::parse_masking(*masking);
}

void add_model_options(CommandLine& line, ModelOptions& options, ModelNeed need) {
  if (need == ModelNeed::kRequired)
    add_text(line, "-m,--model", options.dir, "DIR", "Model folder: config.json and model.safetensors").required();
  else
    add_text(line, "-m,--model", options.dir, "DIR",
             "Model folder: config.json and model.safetensors (default: BYTEFORMER_MODEL, or models/file-types)");
  add_number(line, "-j,--threads", options.num_threads, {1, kMaxThreads}, "Threads (default: one a processor)");
  add_masking_option(line, options.masking);
  std::vector<std::string> precisions;
  for (const Precision precision : kPrecisions) precisions.emplace_back(to_string(precision));
  add_choice(line, "--precision", options.precision, precisions,
             "Numbers that linear layers multiply; fewer bits are faster (default: float32)");
}

std::string default_model() {
  if (const char* named = std::getenv("BYTEFORMER_MODEL"); named != nullptr && *named != '\0') return named;
  const std::filesystem::path program = base::program_folder();  // build/NAME/bin, or PREFIX/bin
  for (const std::filesystem::path& root :
       {program.parent_path().parent_path().parent_path(), program.parent_path() / "share" / "byteformer"}) {
    std::error_code error;
    const std::filesystem::path model = root / "models" / "file-types";
    if (std::filesystem::exists(model / "config.json", error)) return model.native();
  }
  throw UsageError(
      "--model is required: models/file-types is not found beside this program, and BYTEFORMER_MODEL is not set");
}

Classifier load_classifier(const ModelOptions& options) {
  LoadOptions load;
  load.num_threads = static_cast<int>(options.num_threads.value_or(0));
  load.masking = parse_masking_option(options.masking);
  for (const Precision precision : kPrecisions)
    if (options.precision == to_string(precision)) load.precision = precision;
  return Classifier::load(options.dir.value(), load);
}

const char* parser_version() { return CLI11_VERSION; }

bool parse_arguments(const CommandLine& line, const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag("-h,--help");
  std::vector<CLI::Option*> declared;
  for (const Option& option : line.options) declared.push_back(declare(app, option));
  for (std::size_t i = 0; i < declared.size(); ++i)
    for (const std::string& name : line.options[i].excluded) declared[i]->excludes(name);
  std::vector<std::string> reversed;  // the order that CLI11 asks for
  reversed.reserve(arguments.size());
  std::transform(arguments.rbegin(), arguments.rend(), std::back_inserter(reversed), guarded);
  try {
    app.parse(std::move(reversed));
    return true;
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ExtrasError& error) {
    const auto extras = app.remaining();
    throw UsageError(extras.empty() ? error.what() : describe_unexpected(line, unguarded(extras.front())));
  } catch (const CLI::ParseError& error) {
    throw UsageError(without_excludes(error.what()));
  }
}

}  // namespace byteformer::cli
