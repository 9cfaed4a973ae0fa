// The learning rate of a plan, its way to the disk and back, and what may not change when its run goes on.
#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "data/archives.hpp"
#include "format/json.hpp"

namespace byteformer::data {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ImageAugmentation, min_crop_area, max_shift, flip,
                                                rand_augment_operations, rand_augment_magnitude, erasing_probability,
                                                cutmix_probability)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SoundAugmentation, noise_db, roll_fraction, shift_fraction, speed_fraction, gain_db,
                                   white_noise, mask_fraction, mixup)
}  // namespace byteformer::data

namespace byteformer::plan {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Schedule, max_lr, min_lr, warmup_init_lr, warmup_steps, total_steps, steps_per_epoch,
                                   is_per_epoch)
namespace {

/// Calls visit(name, member) for every member that JSON can hold as it is.
template <typename Plan, typename Visit>
void for_each_member(Plan& p, const Visit& visit) {
  visit("data", p.data), visit("image_augmentation", p.image_augmentation);
  visit("sound_augmentation", p.sound_augmentation), visit("max_bytes", p.max_bytes), visit("schedule", p.schedule);
  visit("batch_size", p.batch_size), visit("token_budget", p.token_budget), visit("evaluate_every", p.evaluate_every);
  visit("weight_decay", p.weight_decay), visit("label_smoothing", p.label_smoothing), visit("clip_norm", p.clip_norm);
  visit("ema_momentum", p.ema_momentum), visit("dropout", p.dropout), visit("stochastic_depth", p.stochastic_depth);
  visit("validation_fraction", p.validation_fraction), visit("split_by", p.split_by);
  visit("balance_classes", p.balance_classes), visit("balance_kinds", p.balance_kinds);
  visit("initialisation", p.initialisation), visit("precision", p.precision), visit("device", p.device);
  visit("init_from", p.init_from), visit("seed", p.seed), visit("time_s", p.time_s);
  visit("data_fingerprint", p.data_fingerprint), visit("reasons", p.reasons), visit("command", p.command);
}

}  // namespace

double learning_rate(const Schedule& s, std::int64_t step) noexcept {
  if (step < s.warmup_steps)
    return s.warmup_init_lr +
           (s.max_lr - s.warmup_init_lr) * static_cast<double>(step) / static_cast<double>(s.warmup_steps);
  double progress = 0;
  if (s.is_per_epoch) {
    const auto epochs =
        std::max<double>(1, std::ceil(static_cast<double>(s.total_steps) / static_cast<double>(s.steps_per_epoch)));
    progress = static_cast<double>(step / s.steps_per_epoch) / epochs;
  } else {
    progress = static_cast<double>(step - s.warmup_steps) /
               static_cast<double>(std::max<std::int64_t>(1, s.total_steps - s.warmup_steps));
  }
  return s.min_lr + (s.max_lr - s.min_lr) * (1 + std::cos(std::numbers::pi * std::min(1.0, progress))) / 2;
}

std::string to_json(const TrainingPlan& plan) {
  nlohmann::json json;
  for_each_member(plan, [&](const char* name, const auto& value) { json[name] = value; });
  json["asked"] = format::from_text(to_json(plan.asked));
  json["data_set"] = plan.data_set;
  json["optimizer"] = plan.optimizer;
  json["split_seed"] = plan.split_seed;
  if (!plan.data_absolute.empty()) json["data_absolute"] = plan.data_absolute;
  if (!plan.data_from_output.empty()) json["data_from_output"] = plan.data_from_output;
  if (!plan.task.empty()) json["task"] = plan.task;
  json["epochs"] = plan.epochs();  // for people: it follows from the schedule
  json["model"] = nlohmann::json::parse(format::to_json(plan.config));
  return format::to_text(json, 2) + "\n";
}

Request chosen_settings(const TrainingPlan& plan) {
  Request r;
  r.init_from = plan.init_from.empty() ? kFromNothing : plan.init_from;
  r.hidden_size = plan.config.hidden_size, r.layers = plan.config.num_hidden_layers;
  r.heads = plan.config.num_attention_heads, r.intermediate_size = plan.config.intermediate_size;
  r.kernel = plan.config.conv_kernel_size;
  const std::vector<std::int64_t>& windows = plan.config.window_sizes;
  if (std::ranges::count(windows, windows.front()) == std::ssize(windows)) r.window = windows.front();
  r.masking = format::to_string(plan.config.masking);
  r.positions = format::to_string(plan.config.position_embedding);
  if (plan.preprocess.is_bytes()) r.encode = "as-is";
  if (const auto& image = plan.preprocess.image) {
    if (!plan.preprocess.sound) r.encode = prepare::to_string(image->encoding.format);
    r.quality = image->encoding.quality, r.resize = image->resize, r.crop = image->crop;
  }
  if (const auto& sound = plan.preprocess.sound) {
    if (!plan.preprocess.image) r.encode = prepare::to_string(sound->encoding.format);
    r.sample_format = media::to_string(sound->encoding.sample_format);
    r.sample_rate = sound->sample_rate, r.duration_s = sound->duration_s;
  }
  r.max_bytes = plan.max_bytes, r.transforms = prepare::transforms_json(plan.preprocess.transforms);
  r.epochs = plan.epochs(), r.time_s = plan.time_s, r.steps = plan.schedule.total_steps;
  r.batch_size = plan.batch_size, r.warmup_steps = plan.schedule.warmup_steps;
  r.seed = static_cast<std::int64_t>(plan.seed);
  r.learning_rate = plan.schedule.max_lr, r.min_learning_rate = plan.schedule.min_lr;
  r.optimizer = plan.optimizer, r.weight_decay = plan.weight_decay;
  r.label_smoothing = plan.label_smoothing, r.clip_norm = plan.clip_norm;
  r.ema_momentum = plan.ema_momentum, r.dropout = plan.dropout, r.stochastic_depth = plan.stochastic_depth;
  r.validation_fraction = plan.validation_fraction, r.split_by = plan.split_by;
  if (!plan.task.empty()) r.task = plan.task;
  r.schedule = plan.schedule.is_per_epoch ? "epoch" : "step", r.initialisation = plan.initialisation;
  r.device = plan.device, r.precision = plan.precision, r.token_budget = plan.token_budget;
  return r;
}

void require_same_result(const Request& request, const TrainingPlan& plan) {
  const auto with_plain_transforms = [](Request r) {
    if (r.transforms)
      r.transforms =
          prepare::transforms_json(prepare::parse_transforms(*r.transforms, option_name(&Request::transforms)));
    return r;
  };
  const std::vector<std::string> changes =
      changes_of_result(with_plain_transforms(request), with_plain_transforms(plan.asked), chosen_settings(plan));
  if (!changes.empty())
    throw Error(ErrorCode::kInvalidArgument,
                option_name(&Request::resume) + " goes on with the plan that the run started with, but these differ: " +
                    base::list(changes, ", ") + ". Leave them out, or start a new run");
}

std::vector<std::string> take_changes(const Request& request, TrainingPlan& plan) {
  const std::int64_t before = plan.token_budget;
  plan.token_budget = request.token_budget.value_or(before);
  if (plan.token_budget == before) return {};
  return {
      base::joined(option_name(&Request::token_budget), " ", plan.token_budget, ", not ", before,
                   ": files are grouped into other passes until the run stops again, and sums over them are rounded "
                   "otherwise than without the pause")};
}

void require_absent(const std::filesystem::path& model_dir) {
  std::error_code error;
  if (std::filesystem::exists(model_dir, error) && !std::filesystem::is_empty(model_dir, error))
    base::fail(ErrorCode::kAlreadyExists, base::printable(model_dir),
               ": exists already; choose another folder, or go on with ", option_name(&Request::resume), " ",
               base::printable(model_dir));
}

void remember_places(TrainingPlan& plan, const std::filesystem::path& output) {
  const std::filesystem::path data = std::filesystem::absolute(plan.data).lexically_normal();
  plan.data_absolute = data.native();
  plan.data_from_output = data.lexically_relative(std::filesystem::absolute(output).lexically_normal()).native();
}

std::filesystem::path data_place(const TrainingPlan& plan, const std::filesystem::path& output) {
  const auto is_there = [](const std::filesystem::path& place) {
    return std::ranges::all_of(data::expand_pattern(place.native()), base::exists);
  };
  for (const std::filesystem::path& place : {std::filesystem::path(plan.data_absolute), output / plan.data_from_output})
    if (!plan.data_absolute.empty() && is_there(place)) return place;
  return plan.data;
}

TrainingPlan parse_plan(const std::string& text, const std::string& source) {
  TrainingPlan plan;
  try {
    const format::Json json = format::from_text(text);
    for_each_member(plan, [&](const char* name, auto& value) { json.at(name).get_to(value); });
    plan.data_set = json.value("data_set", "");  // plans of earlier versions do not say
    plan.optimizer = json.value("optimizer", plan.optimizer);
    plan.split_seed = json.value("split_seed", plan.seed);
    if (json.contains("asked")) plan.asked = parse_request(format::to_text(json["asked"]));
    plan.data_absolute = json.value("data_absolute", "");
    plan.data_from_output = json.value("data_from_output", "");
    plan.task = json.value("task", "");
    plan.config = format::parse_config(json.at("model").dump(), source);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInvalidFormat, source + ": is no training plan: " + error.what());
  }
  plan.preprocess = prepare::parse_preprocess(plan.config.preprocess, source);
  // The text that the run began with: a model that was killed has the files of one that was not, byte for byte.
  if (!plan.config.preprocess.empty()) plan.config.preprocess = prepare::to_json(plan.preprocess);
  return plan;
}

}  // namespace byteformer::plan
