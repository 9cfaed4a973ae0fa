// Implementation of plan.hpp.
#include "plan/plan.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "byteformer/error.hpp"
#include "format/json.hpp"

namespace byteformer::data {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ImageAugmentation, min_crop_area, max_shift, flip, rand_augment_operations,
                                   rand_augment_magnitude, erasing_probability)
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
  json["data_set"] = plan.data_set;
  json["epochs"] = plan.epochs();  // for people: it follows from the schedule
  json["model"] = nlohmann::json::parse(format::to_json(plan.config));
  return format::to_text(json, 2) + "\n";
}

TrainingPlan parse_plan(const std::string& text, const std::string& source) {
  TrainingPlan plan;
  try {
    const format::Json json = format::from_text(text);
    for_each_member(plan, [&](const char* name, auto& value) { json.at(name).get_to(value); });
    plan.data_set = json.value("data_set", "");  // plans of earlier versions do not say
    plan.config = format::parse_config(json.at("model").dump(), source);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInvalidFormat, source + ": is no training plan: " + error.what());
  }
  plan.preprocess = prepare::parse_preprocess(plan.config.preprocess, source);
  return plan;
}

}  // namespace byteformer::plan
