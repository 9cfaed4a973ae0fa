// How far a run is, as JSON and back.
#include "plan/progress.hpp"

#include <nlohmann/json.hpp>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "format/json.hpp"
#include "format/safetensors.hpp"

namespace byteformer::plan {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ValidationResult, step, train_loss, loss, top1, top5, learning_rate, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Progress, step, optimizer_steps, seconds, loss_sum, loss_count, best_top1, best_loss,
                                   best_step, loss_scale, good_steps, history, failures)

std::string to_json(const Progress& progress) { return format::to_text(progress); }

Progress parse_progress(const std::string& json, const std::string& source) {
  try {
    return format::from_text(json).get<Progress>();
  } catch (const nlohmann::json::exception& problem) {
    base::fail(ErrorCode::kInvalidFormat, source, ": is no checkpoint: ", problem.what());
  }
}

Progress progress_of(const format::Tensors& checkpoint, const std::filesystem::path& path) {
  const auto text = checkpoint.metadata.find(kProgressKey);
  if (text == checkpoint.metadata.end())
    base::fail(ErrorCode::kInvalidFormat, base::printable(path), ": is no checkpoint: it says nothing of progress");
  return parse_progress(text->second, base::printable(path));
}

std::optional<Progress> read_progress(const std::filesystem::path& model_dir) {
  const std::filesystem::path path = model_dir / "training" / "checkpoint.safetensors";
  if (!base::exists(path)) return std::nullopt;
  return progress_of(format::read_safetensors(path), path);
}

}  // namespace byteformer::plan
