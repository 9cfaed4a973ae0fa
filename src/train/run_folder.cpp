// Implementation of run_folder.hpp.
#include "train/run_folder.hpp"

#include <cstring>
#include <utility>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "format/json.hpp"
#include "format/safetensors.hpp"
#include "format/text.hpp"
#include "train/optimizer.hpp"

namespace byteformer::train {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPlanBytes = 64 << 20;

format::TensorView view_of(const torch::Tensor& flat) {
  const auto size = static_cast<std::size_t>(flat.numel());
  return {format::DType::kF32, {flat.numel()}, std::as_bytes(std::span(flat.data_ptr<float>(), size))};
}

void copy_into(torch::Tensor& flat, const format::Tensors& tensors, const char* name) {
  const auto found = tensors.by_name.find(name);
  if (found == tensors.by_name.end() || found->second.shape != std::vector<std::int64_t>{flat.numel()})
    format::fail(ErrorCode::kInvalidModel, tensors.source, ": holds no ", name, " of ", flat.numel(),
                 " numbers: it belongs to another model");
  const std::vector<float> numbers = format::to_float32(found->second, name);
  flat.copy_(torch::from_blob(const_cast<float*>(numbers.data()), {flat.numel()}));
}

}  // namespace

RunFolder::RunFolder(fs::path model_dir) : model_dir_(std::move(model_dir)) {}

void RunFolder::require_absent() const {
  std::error_code error;
  if (fs::exists(model_dir_, error) && !fs::is_empty(model_dir_, error))
    format::fail(ErrorCode::kAlreadyExists, base::printable(model_dir_),
                 ": exists already; choose another folder, or go on with ", plan::option_name(&plan::Request::resume),
                 " ", base::printable(model_dir_));
}

void RunFolder::create(const plan::TrainingPlan& plan) {
  require_absent();
  std::error_code error;
  fs::create_directories(training_dir(), error);
  if (error)
    format::fail(error == std::errc::permission_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo,
                 base::printable(model_dir_), ": cannot be created: ", error.message());
  base::write_file_atomically(training_dir() / "plan.json", to_json(plan));
}

plan::TrainingPlan RunFolder::read_plan() const {
  const fs::path path = training_dir() / "plan.json";
  std::error_code error;
  if (!fs::exists(path, error))
    format::fail(ErrorCode::kNotFound, base::printable(model_dir_),
                 ": holds no training run (there is no training/plan.json)");
  return plan::parse_plan(base::read_text_file(path, kMostPlanBytes), base::printable(path));
}

void RunFolder::save(const Parameters& parameters, const OptimizerState& state, const plan::Progress& progress) const {
  const torch::Tensor values = parameters.values().to(torch::kCPU);
  const torch::Tensor first = state.first_moment.to(torch::kCPU);
  const torch::Tensor second = state.second_moment.to(torch::kCPU);
  const torch::Tensor average = state.average.to(torch::kCPU);
  format::Json text = format::from_text(to_json(progress));
  text["optimizer_steps"] = state.num_steps;
  format::write_safetensors(training_dir() / "checkpoint.safetensors",
                            {{"values", view_of(values)},
                             {"first_moment", view_of(first)},
                             {"second_moment", view_of(second)},
                             {"average", view_of(average)}},
                            {{plan::kProgressKey, format::to_text(text)}});
}

bool RunFolder::load(Parameters& parameters, OptimizerState& state, plan::Progress& progress) const {
  const fs::path path = training_dir() / "checkpoint.safetensors";
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  const format::Tensors tensors = format::read_safetensors(path);
  const auto text = tensors.metadata.find(plan::kProgressKey);
  if (text == tensors.metadata.end())
    format::fail(ErrorCode::kInvalidFormat, base::printable(path), ": is no checkpoint: it says nothing of progress");
  torch::NoGradGuard no_grad;
  copy_into(parameters.values(), tensors, "values");
  copy_into(state.first_moment, tensors, "first_moment");
  copy_into(state.second_moment, tensors, "second_moment");
  copy_into(state.average, tensors, "average");
  progress = plan::parse_progress(text->second, base::printable(path));
  try {
    state.num_steps = format::from_text(text->second).at("optimizer_steps");
  } catch (const nlohmann::json::exception& problem) {
    format::fail(ErrorCode::kInvalidFormat, base::printable(path), ": is no checkpoint: ", problem.what());
  }
  return true;
}

void RunFolder::write_model(const format::ModelConfig& config, const Parameters& parameters,
                            const torch::Tensor& flat) const {
  const torch::Tensor on_cpu = flat.to(torch::kCPU);
  // Weights first: a configuration beside weights of an earlier moment differs in its temperature only.
  format::write_safetensors(model_dir_ / "model.safetensors", parameters.named(on_cpu), {{"format", "pt"}});
  base::write_file_atomically(model_dir_ / "config.json", format::to_json(config));
}

}  // namespace byteformer::train
