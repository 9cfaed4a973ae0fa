// How far a training run is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "format/tensors.hpp"

namespace byteformer::plan {

/// One evaluation on the validation set, as it is shown, logged and kept.
struct ValidationResult {
  std::int64_t step = 0;
  double train_loss = 0;  ///< mean since the last evaluation
  double loss = 0, top1 = 0, top5 = 0;
  double learning_rate = 0;
  double seconds = 0;  ///< of training so far, over all sessions
};

/// What a run knows besides its tensors.
struct Progress {
  std::int64_t step = 0;             ///< steps done
  std::int64_t optimizer_steps = 0;  ///< those in which the weights moved
  double seconds = 0;                ///< of training so far, over all sessions
  double loss_sum = 0;               ///< since the last evaluation
  std::int64_t loss_count = 0;
  double best_top1 = -1, best_loss = 0;
  std::int64_t best_step = 0;
  double loss_scale = 65'536;   ///< float16 only
  std::int64_t good_steps = 0;  ///< since the loss scale changed
  std::vector<ValidationResult> history;
  std::vector<std::string> failures;  ///< files that could not be read, with the reason
};

/// The key under which a checkpoint's metadata holds it as JSON.
inline constexpr const char* kProgressKey = "progress";

std::string to_json(const Progress& progress);

/// \throws Error kInvalidFormat naming `source`; keys that it does not know are ignored.
Progress parse_progress(const std::string& json, const std::string& source);

/// What `checkpoint`, read from `path`, says besides its tensors. \throws Error as parse_progress().
Progress progress_of(const format::Tensors& checkpoint, const std::filesystem::path& path);

/// What the checkpoint of the run in `model_dir` says, without its tensors; nothing where there is none yet.
/// \throws Error as format::read_safetensors() and parse_progress().
std::optional<Progress> read_progress(const std::filesystem::path& model_dir);

}  // namespace byteformer::plan
