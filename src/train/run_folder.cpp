// Writes and reads a run's plan and checkpoint.
#include "train/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/safetensors.hpp"

namespace byteformer::train {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPlanBytes = 64 << 20;

void copy_into(std::span<float> numbers, const format::Tensors& tensors, const std::string& name) {
  const auto found = tensors.by_name.find(name);
  if (found == tensors.by_name.end() ||
      found->second.shape != std::vector<std::int64_t>{static_cast<std::int64_t>(numbers.size())})
    base::fail(ErrorCode::kInvalidModel, tensors.source, ": holds no ", name, " of ", numbers.size(),
               " numbers: it belongs to another model");
  std::ranges::copy(format::to_float32(found->second, name), numbers.begin());
}

}  // namespace

RunFolder::RunFolder(fs::path model_dir) : model_dir_(std::move(model_dir)) {}

bool RunFolder::holds_run() const { return base::exists(training_dir() / "plan.json"); }

void RunFolder::remove_unborn() const {
  std::error_code error;
  const auto is_only = [&](const fs::path& folder, const auto& is_ours) {
    return std::all_of(fs::directory_iterator(folder, error), fs::directory_iterator(), is_ours);
  };
  const bool is_unborn =
      !holds_run() && base::exists(training_dir()) &&
      is_only(model_dir_, [](const fs::directory_entry& entry) { return entry.path().filename() == "training"; }) &&
      is_only(training_dir(), [](const fs::directory_entry& entry) {
        return base::is_temporary_of("plan.json", entry.path());
      });
  if (is_unborn) fs::remove_all(training_dir(), error);
}

void RunFolder::require_absent() const {
  remove_unborn();
  plan::require_absent(model_dir_);
}

void RunFolder::create(const plan::TrainingPlan& plan) {
  require_absent();
  std::error_code error;
  fs::create_directories(training_dir(), error);
  if (error)
    base::fail(error == std::errc::permission_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
               base::printable(model_dir_), ": cannot be created: ", error.message());
  base::write_file_atomically(training_dir() / "plan.json", to_json(plan));
}

plan::TrainingPlan RunFolder::read_plan() const {
  const fs::path path = training_dir() / "plan.json";
  if (!base::exists(path))
    base::fail(ErrorCode::kNotFound, base::printable(model_dir_),
               ": holds no training run (there is no training/plan.json)");
  return plan::parse_plan(base::read_text_file(path, kMostPlanBytes), base::printable(path));
}

base::Descriptor RunFolder::lock(std::chrono::milliseconds patience) const {
  const auto end = std::chrono::steady_clock::now() + patience;
  base::Descriptor folder(::open(training_dir().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    if (std::chrono::steady_clock::now() >= end)
      base::fail(ErrorCode::kAlreadyExists, base::printable(model_dir_), ": another process trains this run");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return folder;
}

void RunFolder::save(const FlatTensors& tensors, const plan::Progress& progress) const {
  format::NamedTensors views;
  for (const auto& [name, numbers] : tensors)
    views[name] = {format::DType::kF32, {static_cast<std::int64_t>(numbers.size())}, std::as_bytes(numbers)};
  format::write_safetensors(training_dir() / "checkpoint.safetensors", views,
                            {{plan::kProgressKey, plan::to_json(progress)}});
}

bool RunFolder::load(const FlatTensors& flat, plan::Progress& progress) const {
  const fs::path path = training_dir() / "checkpoint.safetensors";
  std::error_code error;
  for (const fs::path& folder : {model_dir_, training_dir()})
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
      if (base::is_temporary(entry.path())) fs::remove(entry.path(), error);
  if (!base::exists(path)) return false;
  const format::Tensors tensors = format::read_safetensors(path);
  progress = plan::progress_of(tensors, path);
  for (const auto& [name, numbers] : flat) copy_into(numbers, tensors, name);
  return true;
}

void RunFolder::write_model(const format::ModelConfig& config, const format::NamedTensors& weights) const {
  // Weights first: a configuration beside weights of an earlier moment differs in its temperature only.
  format::write_safetensors(model_dir_ / "model.safetensors", weights, {{"format", "pt"}});
  base::write_file_atomically(model_dir_ / "config.json", format::to_json(config));
}

}  // namespace byteformer::train
