// Options that several commands have, each declared once. What is a setting of a training, too, comes from the table of
// these, with its bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "byteformer/classifier.hpp"
#include "cli.hpp"
#include "format/config.hpp"
#include "plan/settings.hpp"
#include "prepare/preprocess.hpp"

namespace byteformer::cli {

/// "-d,--data": the names of a setting as add_text() and its like take them.
std::string names_of(plan::Member member);

using Target = std::variant<bool*, std::optional<std::string>*, std::optional<std::int64_t>*, std::optional<double>*>;

/// Adds the option of a setting with its names, its values and their bounds.
/// \param target  for the value, of the type of the setting's member
/// \param help  where the option means something else than in a training
Option& add_setting(CommandLine& line, const plan::Setting& setting, Target target, const std::string& help = "");

template <typename T>
Option& add_setting(CommandLine& line, T plan::Request::*member, T& value, const std::string& help = "") {
  return add_setting(line, plan::setting(member), &value, help);
}

Option& add_force(CommandLine& line, bool& value, const std::string& help);

/// Files that share the threads.
inline constexpr std::int64_t kDefaultBatchSize = 64;

/// The options that say which model runs, and how.
struct ModelOptions {
  std::optional<std::string> dir, masking, precision;
  std::optional<std::int64_t> num_threads;
  std::vector<std::string> keys;  ///< paths
  bool as_is = false;

  LoadOptions load_options() const;
  Classifier load() const;

  /// What is done to files before the model reads them.
  /// \throws UsageError, Error as read_preprocess()
  prepare::Preprocess preprocess() const;
};

/// \param otherwise  which model it is where none is given, " (default: ...)"; none: one must be given
void add_model_options(CommandLine& line, ModelOptions& options, const std::string& otherwise = "");

/// Those of them that say how: --threads, --masking and --precision.
void add_engine_options(CommandLine& line, ModelOptions& options);

/// --as-is and --key.
void add_form_options(CommandLine& line, ModelOptions& options);

void add_masking_option(CommandLine& line, std::optional<std::string>& masking);
std::optional<Masking> masking_of(const std::optional<std::string>& name);

/// `--key KEY`, as often as the model has keys.
Option& add_keys_option(CommandLine& line, std::vector<std::string>& key_paths);

/// How the model in `model_dir` reads files, with its secret keys in place.
/// \param otherwise  what else can be done where a key is missing; follows ", " or is empty
/// \throws UsageError where a key is missing, or is none of the model's; Error as read_key() and read_preprocess().
prepare::Preprocess read_preprocess(const std::string& model_dir, const std::vector<std::string>& key_paths,
                                    const std::string& otherwise = "");

/// A length of a file that says something of the model: that of one which is prepared for it, or, where that is not
/// known, of an image of 224 x 224 pixels as the paper's TIFF; the longest that the model's positions allow if that is
/// less.
std::int64_t typical_num_bytes(const format::ModelConfig& config, const prepare::Preprocess& preprocess);

}  // namespace byteformer::cli
