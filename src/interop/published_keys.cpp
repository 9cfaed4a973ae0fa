// Keys of a published configuration that are not read: those without effect here, and those that nobody knows.
#include <algorithm>
#include <array>
#include <set>

#include "format/text.hpp"
#include "interop/published_sections.hpp"
#include "interop/yaml_keys.hpp"

namespace byteformer::interop {
namespace {

using format::excerpt;
using format::joined;

/// Known, and without effect on what is computed here; * stands for any ending.
constexpr auto kWithoutEffect =
    std::to_array<std::string_view>({"common.auto_resume",
                                     "common.log_freq",
                                     "common.run_label",
                                     "common.tensorboard_logging",
                                     "dataset.category",
                                     "dataset.collate_fn_name_*",
                                     "dataset.eval_batch_size0",
                                     "dataset.persistent_workers",
                                     "dataset.pin_memory",
                                     "dataset.speech_commands_v2.*",
                                     "dataset.val_batch_size0",
                                     "dataset.workers",
                                     "audio_augmentation.noise.refresh_freq",
                                     "model.audio_classification.name",
                                     "model.classification.byteformer.dummy_input_token_length",
                                     "model.layer.conv_init",
                                     "model.layer.linear_init",
                                     "model.layer.linear_init_std_dev",
                                     "sampler.*",
                                     "stats.*"});

/// Sections in which an unknown key would quietly give another model or another training.
constexpr auto kStrictSections = std::to_array<std::string_view>(
    {"model.", "image_augmentation.", "audio_augmentation.", "loss.", "optim.", "scheduler.", "ema."});

bool matches(std::string_view path, std::string_view pattern) {
  return pattern.ends_with('*') ? path.starts_with(pattern.substr(0, pattern.size() - 1)) : path == pattern;
}

bool is_without_effect(std::string_view path) {
  return std::ranges::any_of(kWithoutEffect, [&](std::string_view pattern) { return matches(path, pattern); });
}

bool is_strict(std::string_view path) {
  return std::ranges::any_of(kStrictSections, [&](std::string_view section) { return path.starts_with(section); });
}

/// Whether `path` belongs to a part such as image_augmentation.random_rotate that is switched off.
bool is_switched_off(const YamlFile& yaml, const std::string& path) {
  return yaml.boolean(path.substr(0, path.rfind('.')) + ".enable") == false;
}

Paths known_paths(const Paths& asked) {
  Paths known = asked;
  for (const std::string_view pattern : kWithoutEffect)
    if (!pattern.ends_with('*')) known.emplace(pattern);
  return known;
}

}  // namespace

std::vector<std::string> remarks_on_keys(const YamlFile& yaml, std::string_view unused) {
  const Paths asked = yaml.asked();
  const Paths known = known_paths(asked);
  std::string without_effect;
  std::vector<std::string> remarks;
  for (const auto& [path, line, is_null] : yaml.keys()) {
    if (is_null || asked.contains(path)) continue;
    if (is_without_effect(path) || path.starts_with(unused) || is_switched_off(yaml, path)) {
      without_effect += (without_effect.empty() ? "" : ", ") + excerpt(path);
      continue;
    }
    const std::string unknown = unknown_key(yaml, path, line, known);
    if (is_strict(path)) format::fail(ErrorCode::kInvalidFormat, unknown);
    remarks.push_back(unknown + "; it is ignored");
  }
  if (!without_effect.empty())
    remarks.insert(remarks.begin(), joined(yaml.source(), ": without effect here: ", without_effect));
  return remarks;
}

}  // namespace byteformer::interop
