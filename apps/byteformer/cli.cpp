// Options as rows, their values checked, and their way through CLI11: the only file that sees its header, which takes
// seconds to compile.
#include "cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iterator>
#include <sstream>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {
namespace {

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
Option& add_value(CommandLine& line, const std::string& names, const std::string& value_name,
                  const std::string& description, std::function<void(const std::string&)> store) {
  return line.options.emplace_back(
      Option{names, document(names, value_name, description), nullptr,
             [store = std::move(store)](const std::vector<std::string>& values) { store(values.back()); }});
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

template <typename Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// \param asks_for_model whether the command takes a model and was given none
std::string describe_unexpected(const CommandLine& line, const std::string& argument, bool asks_for_model) {
  std::vector<std::string> known = {kHelpOption};
  for (const Option& option : line.options)
    for (const std::string& name : option.doc.long_names) known.push_back("--" + name);
  const bool is_option = argument.size() > 1 && argument.front() == '-';
  std::string text = fmt::format("{} `{}`", is_option ? "unknown option" : "unexpected argument", argument);
  if (is_option) text += base::did_you_mean(argument.substr(0, argument.find('=')), known);
  if (!is_option && asks_for_model) text += fmt::format("; did you mean `{} {}`?", kModelOption, argument);
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

/// CLI11 would take the next argument for the value of "--name=".
void refuse_empty_values(const CommandLine& line, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return;
    if (!argument.starts_with("--") || argument.find('=') != argument.size() - 1) continue;
    const std::string name = argument.substr(2, argument.size() - 3);
    for (const Option& option : line.options)
      if (std::ranges::find(option.doc.long_names, name) != option.doc.long_names.end())
        throw UsageError("--" + name + " must not be empty");
  }
}

/// "--steps excludes --time", as people say it.
std::string without_excludes(std::string message) {
  constexpr std::string_view kVerb = " excludes ";
  const std::size_t at = message.find(kVerb);
  return at == std::string::npos ? message : message.replace(at, kVerb.size(), " cannot be combined with ");
}

}  // namespace

Option& Option::required() {
  doc.is_required = true;
  return *this;
}

Option& Option::excludes(const Option& other) {
  excluded.push_back(first_name(other.names));
  return *this;
}

Option& add_flag(CommandLine& line, const std::string& names, bool& value, const std::string& description) {
  return line.options.emplace_back(Option{names, document(names, "", description), &value});
}

Option& add_text(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                 const std::string& value_name, const std::string& description) {
  return add_value(line, names, value_name, description, [&value, names](const std::string& text) {
    if (text.empty()) throw UsageError(first_name(names) + " must not be empty");
    value = text;
  });
}

Option& add_texts(CommandLine& line, const std::string& names, std::vector<std::string>& values,
                  const std::string& value_name, const std::string& description) {
  Option& option = add_list(line, names, values, value_name, description);
  option.takes_one_at_a_time = true;
  return option;
}

Option& add_number(CommandLine& line, const std::string& names, std::optional<std::int64_t>& value, NumberRange range,
                   const std::string& description) {
  return add_value(line, names, "N", description, [&value, names, range](const std::string& text) {
    const auto number = parse_number<std::int64_t>(text);
    if (!number || *number < range.min || *number > range.max)
      throw UsageError(fmt::format("{} must be a whole number from {} to {}, not `{}`", first_name(names), range.min,
                                   range.max, text));
    value = number;
  });
}

Option& add_decimal(CommandLine& line, const std::string& names, std::optional<double>& value, double min, double max,
                    const std::string& description, const std::string& value_name) {
  return add_value(line, names, value_name, description, [&value, names, min, max](const std::string& text) {
    const auto number = parse_number<double>(text);
    if (!number || !(*number >= min && *number <= max))
      throw UsageError(fmt::format("{} must be a number from {} to {}, not `{}`", first_name(names), min, max, text));
    value = number;
  });
}

Option& add_duration(CommandLine& line, const std::string& names, std::optional<double>& seconds, double min,
                     double max, const std::string& description) {
  return add_value(line, names, "TIME", description, [&seconds, names, min, max](const std::string& text) {
    const std::size_t unit = text.find_last_not_of("smhd") + 1;
    const std::string_view units = std::string_view(text).substr(unit);
    const double factor = units == "d" ? 86'400 : units == "h" ? 3'600 : units == "m" ? 60 : 1;
    const auto number = parse_number<double>(text.substr(0, unit));
    if (!number || units.size() > 1 || !(*number * factor >= min && *number * factor <= max))
      throw UsageError(fmt::format("{} must be a time such as 90s, 30m or 2h, not `{}`", first_name(names), text));
    seconds = *number * factor;
  });
}

Option& add_choice(CommandLine& line, const std::string& names, std::optional<std::string>& value,
                   const std::vector<std::string>& choices, const std::string& description) {
  return add_value(
      line, names, base::list(choices, "|"), description, [&value, names, choices](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) == choices.end())
          throw UsageError(
              fmt::format("{} must be {}, not `{}`", first_name(names), base::list(choices, " or "), text));
        value = text;
      });
}

Option& add_paths(CommandLine& line, const std::string& name, std::vector<std::string>& paths,
                  const std::string& description) {
  return add_list(line, name, paths, name, description);
}

const char* parser_version() { return CLI11_VERSION; }

bool parse_arguments(const CommandLine& line, const std::vector<std::string>& arguments) {
  CLI::App app;
  app.set_help_flag(base::joined("-h,", kHelpOption));
  std::vector<CLI::Option*> declared;
  for (const Option& option : line.options) declared.push_back(declare(app, option));
  for (std::size_t i = 0; i < declared.size(); ++i)
    for (const std::string& name : line.options[i].excluded) declared[i]->excludes(name);
  refuse_empty_values(line, arguments);
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
    const CLI::Option* model = app.get_option_no_throw(kModelOption);
    const bool asks_for_model = model != nullptr && model->empty();
    throw UsageError(extras.empty() ? error.what()
                                    : describe_unexpected(line, unguarded(extras.front()), asks_for_model));
  } catch (const CLI::ParseError& error) {
    throw UsageError(without_excludes(error.what()));
  }
}

}  // namespace byteformer::cli
