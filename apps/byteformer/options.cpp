// Implementation of options.hpp on CLI11.
#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <regex>

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

/// Adds an option whose text `store` turns into a value; what `store` throws becomes a usage error with its name.
DeclaredOption add_value(CLI::App& app, const std::string& names, const std::string& value_name,
                         const std::string& description, std::function<void(const std::string&)> store) {
  return DeclaredOption(
      app.add_option_function<std::string>(
             names, [store = std::move(store)](const std::string& text) { store(unguarded(text)); }, description)
          ->type_name(value_name)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast));
}

std::string joined(const std::vector<std::string>& choices, const char* separator) {
  return fmt::format("{}", fmt::join(choices, separator));
}

std::string first_name(const std::string& names) { return names.substr(names.rfind(',') + 1); }

/// Adds an option whose values add up, as they are.
CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                      const std::string& value_name, const std::string& description) {
  const auto store = [&values, names](const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      if (argument.empty()) throw UsageError(first_name(names) + " must not be empty");
      values.push_back(unguarded(argument));
    }
  };
  return app.add_option_function<std::vector<std::string>>(names, store, description)->type_name(value_name);
}

std::optional<double> parse_decimal(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string describe_unexpected(const CLI::App& app, const std::string& argument) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  const bool is_option = argument.size() > 1 && argument.front() == '-';
  std::string text = fmt::format("{} `{}`", is_option ? "unknown option" : "unexpected argument", argument);
  if (is_option) text += base::did_you_mean(argument.substr(0, argument.find('=')), known);
  if (!is_option && std::ranges::find(known, "--model") != known.end())
    text += fmt::format("; did you mean `--model {}`?", argument);
  return text;
}

}  // namespace

DeclaredOption DeclaredOption::required() const { return DeclaredOption(option_->required()); }
DeclaredOption DeclaredOption::excludes(DeclaredOption other) const {
  return DeclaredOption(option_->excludes(other.option_));
}
DeclaredOption DeclaredOption::excludes(const std::string& name) const {
  return DeclaredOption(option_->excludes(name));
}

void set_details(CLI::App& app, const std::string& text) { app.footer(text); }

DeclaredOption add_flag(CLI::App& app, const std::string& names, bool& value, const std::string& description) {
  return DeclaredOption(app.add_flag(names, value, description));
}

DeclaredOption add_text(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                        const std::string& value_name, const std::string& description) {
  return add_value(app, names, value_name, description, [&value, names](const std::string& text) {
    if (text.empty()) throw UsageError(first_name(names) + " must not be empty");
    value = text;
  });
}

DeclaredOption add_texts(CLI::App& app, const std::string& names, std::vector<std::string>& values,
                         const std::string& value_name, const std::string& description) {
  return DeclaredOption(add_list(app, names, values, value_name, description)->allow_extra_args(false));
}

DeclaredOption add_number(CLI::App& app, const std::string& names, std::optional<std::int64_t>& value,
                          NumberRange range, const std::string& description) {
  return add_value(app, names, "N", description, [&value, names, range](const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || number < range.min || number > range.max)
      throw UsageError(fmt::format("{} must be a whole number from {} to {}, not `{}`", first_name(names), range.min,
                                   range.max, text));
    value = number;
  });
}

DeclaredOption add_fraction(CLI::App& app, const std::string& names, std::optional<float>& value,
                            const std::string& value_name, const std::string& description) {
  return add_value(app, names, value_name, description, [&value, names](const std::string& text) {
    float number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || !(number >= 0 && number <= 1))
      throw UsageError(fmt::format("{} must be a number from 0 to 1, not `{}`", first_name(names), text));
    value = number;
  });
}

DeclaredOption add_decimal(CLI::App& app, const std::string& names, std::optional<double>& value, double min,
                           double max, const std::string& description) {
  return add_value(app, names, "X", description, [&value, names, min, max](const std::string& text) {
    const std::optional<double> number = parse_decimal(text);
    if (!number || !(*number >= min && *number <= max))
      throw UsageError(fmt::format("{} must be a number from {} to {}, not `{}`", first_name(names), min, max, text));
    value = number;
  });
}

DeclaredOption add_duration(CLI::App& app, const std::string& names, std::optional<double>& seconds,
                            const std::string& description) {
  return add_value(app, names, "TIME", description, [&seconds, names](const std::string& text) {
    const std::size_t unit = text.find_last_not_of("smhd") + 1;
    const std::string_view units = std::string_view(text).substr(unit);
    const double factor = units == "d" ? 86'400 : units == "h" ? 3'600 : units == "m" ? 60 : 1;
    const std::optional<double> number = parse_decimal(text.substr(0, unit));
    if (!number || units.size() > 1 || !(*number > 0 && *number * factor <= 1e8))
      throw UsageError(fmt::format("{} must be a time such as 90s, 30m or 2h, not `{}`", first_name(names), text));
    seconds = *number * factor;
  });
}

DeclaredOption add_choice(CLI::App& app, const std::string& names, std::optional<std::string>& value,
                          const std::vector<std::string>& choices, const std::string& description) {
  return add_value(app, names, joined(choices, "|"), description, [&value, names, choices](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      throw UsageError(fmt::format("{} must be {}, not `{}`", first_name(names), joined(choices, " or "), text));
    value = text;
  });
}

DeclaredOption add_paths(CLI::App& app, const std::string& name, std::vector<std::string>& paths,
                         const std::string& description) {
  return DeclaredOption(add_list(app, name, paths, name, description));
}

void add_masking_option(CLI::App& app, std::optional<std::string>& masking) {
  add_choice(app, "--masking", masking, {"released", "masked"},
             "Meaning of padding: as the published code runs, or as the paper describes (default: the model's)");
}

std::optional<Masking> parse_masking_option(const std::optional<std::string>& masking) {
  if (!masking) return std::nullopt;
  return format::parse_masking(*masking);
}

void add_model_options(CLI::App& app, ModelOptions& options) {
  add_text(app, "-m,--model", options.dir, "DIR", "Model folder: config.json and model.safetensors").required();
  add_number(app, "-j,--threads", options.num_threads, {1, kMaxThreads}, "Threads (default: one a processor)");
  add_masking_option(app, options.masking);
  std::vector<std::string> precisions;
  for (const Precision precision : kPrecisions) precisions.emplace_back(to_string(precision));
  add_choice(app, "--precision", options.precision, precisions,
             "Numbers that linear layers multiply; fewer bits are faster (default: float32)");
}

Classifier load_classifier(const ModelOptions& options) {
  LoadOptions load;
  load.num_threads = static_cast<int>(options.num_threads.value_or(0));
  load.masking = parse_masking_option(options.masking);
  for (const Precision precision : kPrecisions)
    if (options.precision == to_string(precision)) load.precision = precision;
  return Classifier::load(options.dir.value(), load);
}

void parse_arguments(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed;  // the order that CLI11 asks for
  reversed.reserve(arguments.size());
  std::transform(arguments.rbegin(), arguments.rend(), std::back_inserter(reversed), guarded);
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    throw;
  } catch (const CLI::ExtrasError& error) {
    const auto extras = app.remaining();
    throw UsageError(extras.empty() ? error.what() : describe_unexpected(app, unguarded(extras.front())));
  } catch (const CLI::ExcludesError& error) {
    throw UsageError(std::regex_replace(error.what(), std::regex(" excludes "), " cannot be combined with "));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace byteformer::cli
