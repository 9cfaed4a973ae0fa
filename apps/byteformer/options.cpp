// Rows of settings as options; the model, its keys, and what it is where it is not named.
#include "options.hpp"

#include <algorithm>
#include <span>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "bytes/byte_permutation.hpp"
#include "exit_status.hpp"

namespace byteformer::cli {
namespace {

constexpr Precision kPrecisions[] = {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8};

/// Adds the option of a setting, by the values that it takes.
struct AddSetting {
  CommandLine& line;
  std::string names, help;
  Target target;

  Option& operator()(const plan::Flag&) const { return add_flag(line, names, value<bool>(), help); }
  Option& operator()(const plan::Text& text) const {
    return add_text(line, names, value<std::optional<std::string>>(), text.value_name, help);
  }
  Option& operator()(const plan::Choice& choice) const {
    return add_choice(line, names, value<std::optional<std::string>>(), choice.values, help);
  }
  Option& operator()(const plan::Whole& range) const {
    return add_number(line, names, value<std::optional<std::int64_t>>(), {range.min, range.max}, help);
  }
  Option& operator()(const plan::Decimal& range) const {
    return add_decimal(line, names, value<std::optional<double>>(), range.min, range.max, help);
  }
  Option& operator()(const plan::Duration&) const {
    return add_duration(line, names, value<std::optional<double>>(), plan::Duration::kMin, plan::Duration::kMax, help);
  }

  template <typename T>
  T& value() const {
    return *std::get<T*>(target);
  }
};

std::string names_of_row(const plan::Setting& setting) {
  return (setting.letter == 0 ? "" : std::string("-") + setting.letter + ",") + plan::option_name(setting);
}

void use_key(const std::string& path, const std::string& model_dir, bytes::Transforms& transforms) {
  const bytes::BytePermutation key = bytes::read_key(path);
  try {
    bytes::use_keys(transforms, std::span(&key, 1));
  } catch (const Error& error) {
    throw UsageError(base::joined(kKeyOption, " ", base::printable(path), " is no key of ", base::printable(model_dir),
                                  ": ", error.what()));
  }
}

}  // namespace

std::string names_of(plan::Member member) { return names_of_row(plan::setting(member)); }

Option& add_setting(CommandLine& line, const plan::Setting& setting, Target target, const std::string& help) {
  return std::visit(AddSetting{line, names_of_row(setting), help.empty() ? setting.help : help, target},
                    setting.values);
}

Option& add_force(CommandLine& line, bool& value, const std::string& help) {
  return add_flag(line, base::joined("-f,", kForceOption), value, help);
}

void add_model_options(CommandLine& line, ModelOptions& options, const std::string& otherwise) {
  Option& model = add_text(line, base::joined("-m,", kModelOption), options.dir, "DIR",
                           "Model folder: config.json and model.safetensors" + otherwise);
  model.doc.is_required = otherwise.empty();
  add_engine_options(line, options);
}

void add_engine_options(CommandLine& line, ModelOptions& options) {
  add_setting(line, &plan::Request::threads, options.num_threads);
  add_masking_option(line, options.masking);
  std::vector<std::string> precisions;
  for (const Precision precision : kPrecisions) precisions.emplace_back(to_string(precision));
  add_choice(line, names_of(&plan::Request::precision), options.precision, precisions,
             "Numbers that linear layers multiply; fewer bits are faster (default: float32)");
}

void add_form_options(CommandLine& line, ModelOptions& options) {
  const Option& as_is =
      add_flag(line, kAsIsOption, options.as_is, "Read the bytes as they are, even if the model expects another form");
  add_keys_option(line, options.keys).excludes(as_is);
}

LoadOptions ModelOptions::load_options() const {
  LoadOptions how;
  how.num_threads = static_cast<int>(num_threads.value_or(0));
  how.masking = masking_of(masking);
  how.as_is = true;  // files are judged and prepared before they come to it
  for (const Precision wanted : kPrecisions)
    if (precision == to_string(wanted)) how.precision = wanted;
  return how;
}

Classifier ModelOptions::load() const { return Classifier::load(dir.value(), load_options()); }

prepare::Preprocess ModelOptions::preprocess() const {
  if (as_is) return {};
  return read_preprocess(dir.value(), keys,
                         base::joined(", ", kAsIsOption, " reads files that are obfuscated already"));
}

void add_masking_option(CommandLine& line, std::optional<std::string>& masking) {
  add_choice(line, names_of(&plan::Request::masking), masking, {"released", "masked"},
             "Meaning of padding: as the published code runs, or as the paper describes (default: the model's)");
}

std::optional<Masking> masking_of(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return format::parse_masking(*name);
}

Option& add_keys_option(CommandLine& line, std::vector<std::string>& key_paths) {
  return add_texts(line, kKeyOption, key_paths, "KEY",
                   "Obfuscate files with this secret key of the model; once for each that it has");
}

prepare::Preprocess read_preprocess(const std::string& model_dir, const std::vector<std::string>& key_paths,
                                    const std::string& otherwise) {
  prepare::Preprocess preprocess = prepare::read_preprocess(model_dir);
  for (const std::string& path : key_paths) use_key(path, model_dir, preprocess.transforms);
  if (const bytes::BytePermutation* missing = bytes::find_without_key(preprocess.transforms))
    throw UsageError(base::joined(base::printable(model_dir), " reads ", prepare::describe(preprocess), ": the key ",
                                  missing->fingerprint(), " is not given; ", kKeyOption, " KEY obfuscates plain files",
                                  otherwise));
  return preprocess;
}

std::int64_t typical_num_bytes(const format::ModelConfig& config, const prepare::Preprocess& preprocess) {
  constexpr std::int64_t kTiffBytes = 150'668;
  const auto typical = static_cast<std::int64_t>(prepare::typical_prepared_bytes(preprocess).value_or(kTiffBytes));
  if (config.position_embedding == format::PositionEmbedding::kSinusoidal) return typical;
  return std::min(typical, config.max_position_embeddings * config.stride());
}

}  // namespace byteformer::cli
