// Chooses how training files are changed at random.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "plan/planner.hpp"

namespace byteformer::plan {
namespace {

constexpr double kLongTraining = 30;  // epochs from which on pictures need stronger augmentation

std::string wanted_by(const Request& request) {
  return request.augment.value_or(request.recipe == "published" ? "published" : "auto");
}

}  // namespace

void leave_out_missing_noise(const data::DataSet& data, TrainingPlan& plan) {
  if (plan.sound_augmentation.noise_db == 0 || !data.background.empty()) return;
  plan.sound_augmentation.noise_db = 0;
  plan.reasons.push_back("the data have no recordings of noise (_background_noise_): none is laid under sounds");
}

void choose_augmentation(const Request& request, const data::DataSet& data, TrainingPlan& plan) {
  const std::string wanted = wanted_by(request);
  if (wanted == "none" || plan.preprocess.is_bytes()) return;
  if (wanted == "published") {
    if (plan.preprocess.image)
      plan.image_augmentation = {.min_crop_area = 0.08,
                                 .flip = true,
                                 .rand_augment_operations = 2,
                                 .rand_augment_magnitude = 9,
                                 .erasing_probability = 0.25};
    if (plan.preprocess.sound) plan.sound_augmentation = {.noise_db = -50, .roll_fraction = 0.1, .mixup = true};
    leave_out_missing_noise(data, plan);
    return;
  }
  // A mirrored digit or letter is another one.
  const bool are_characters =
      std::ranges::all_of(data.classes, [](const std::string& name) { return name.size() <= 2; });
  if (plan.preprocess.image) {
    const prepare::ImagePreparation& image = *plan.preprocess.image;
    const bool is_cropped = image.resize != image.crop || (wanted == "strong" && image.crop);
    plan.image_augmentation.flip = !are_characters;
    if (is_cropped) {
      plan.image_augmentation.min_crop_area = 0.35;
    } else {
      plan.image_augmentation.max_shift = std::max(1, image.crop.value_or(32) / 8);
    }
    plan.reasons.push_back(fmt::format("training pictures are {}{} ({} none changes that)",
                                       is_cropped ? "randomly cropped" : "shifted",
                                       are_characters ? ", not mirrored: classes look like characters" : ", mirrored",
                                       option_name(&Request::augment)));
  }
  if (plan.preprocess.sound) {
    plan.sound_augmentation = {
        .shift_fraction = 0.15, .speed_fraction = 0.15, .gain_db = 8, .white_noise = 0.01, .mask_fraction = 0.2};
    plan.reasons.push_back(
        "sounds are shifted, sped up or down, made louder or softer, silenced in places, with a little noise");
  }
}

void strengthen_augmentation(const Request& request, TrainingPlan& plan) {
  data::ImageAugmentation& augmentation = plan.image_augmentation;
  const std::string wanted = wanted_by(request);
  const bool is_seen_often = plan.epochs() >= kLongTraining && augmentation.flip;
  if (!plan.preprocess.image || (wanted != "strong" && (wanted != "auto" || !is_seen_often))) return;
  augmentation.rand_augment_operations = 1;
  augmentation.rand_augment_magnitude = 5;
  if (wanted == "strong") {
    augmentation.cutmix_probability = 0.5;
    plan.reasons.emplace_back(
        "one random operation changes each picture, and half of them get a box of another one (CutMix)");
  } else {
    augmentation.erasing_probability = 0.2;
    plan.reasons.emplace_back("every picture is seen often, so one random operation and random erasing are added");
  }
}

}  // namespace byteformer::plan
