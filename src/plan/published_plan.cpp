// From a published run to a plan: what the paper's authors trained, with what the command line changes.
#include "plan/published_plan.hpp"

#include <fmt/format.h>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "data/survey.hpp"
#include "interop/partial_config.hpp"

namespace byteformer::plan {
namespace {

using data::DataSet;

/// "ImageNet (ILSVRC 2012), which run.yaml looks for in /mnt/imagenet"
std::string data_set_text(const PublishedRun& run) {
  const auto& [training, validation] = run.folders;
  std::string text(run.data_set->title);
  if (training.empty()) return text;
  return text + fmt::format(", which {} looks for in {}{}", run.source, training,
                            validation.empty() || validation == training ? "" : " and " + validation);
}

void describe_data(const PublishedRun& run, const DataSet* data, TrainingPlan& plan) {
  plan.data_set = run.data_set->name;
  if (data == nullptr) {
    plan.reasons.push_back(fmt::format("data: {}; not here: {} names {}. Steps are counted for its {} training files",
                                       data_set_text(run), option_name(&Request::data), run.data_set->layout,
                                       run.data_set->num_training_files));
    return;
  }
  plan.reasons.push_back(fmt::format("data: {}: {} classes, {} training files; the run is published for {}", plan.data,
                                     data->classes.size(), data->train.size(), data_set_text(run)));
  const auto num_classes = static_cast<std::int64_t>(data->classes.size());
  if (run.model.num_labels.value_or(num_classes) != num_classes)
    plan.reasons.push_back(fmt::format("{} classes, not n_classes {} of {}: as many as the data have", num_classes,
                                       *run.model.num_labels, run.source));
}

void choose_files(const Request& request, const PublishedRun& run, TrainingPlan& plan) {
  const auto pixels = [](const std::optional<std::int64_t>& side) {
    return side ? std::optional(static_cast<int>(*side)) : std::nullopt;
  };
  if (request.encode != "as-is" && run.data_set->is_sound) {
    prepare::SoundPreparation& sound = plan.preprocess.sound.emplace();
    sound.sample_rate = static_cast<int>(request.sample_rate.value());
    sound.duration_s = request.duration_s;
    if (request.sample_format) sound.encoding.sample_format = media::parse_sample_format(*request.sample_format);
  } else if (request.encode != "as-is") {
    prepare::ImagePreparation& image = plan.preprocess.image.emplace();
    image.resize = pixels(request.resize);
    image.crop = pixels(request.crop);
    image.encoding.quality = static_cast<int>(request.quality.value_or(100));
  }
  apply_format(request, plan);
  plan.preprocess.transforms = run.transforms;
  if (request.transforms) {
    plan.preprocess.transforms = prepare::parse_transforms(*request.transforms, option_name(&Request::transforms));
    plan.reasons.push_back(
        fmt::format("{}, not those of {}: the command line wins", option_name(&Request::transforms), run.source));
  }
  plan.max_bytes = request.max_bytes.value_or(0);
  prepare::parse_preprocess(prepare::to_json(plan.preprocess), "the plan: preprocess");  // say now what makes no sense
  plan.reasons.push_back("files: " + prepare::describe(plan.preprocess));
}

void choose_layers(const Request& asked, const PublishedRun& run, format::PartialConfig& config, TrainingPlan& plan) {
  if (!asked.window) return;
  if (config.window_sizes)
    plan.reasons.push_back(
        fmt::format("{}, not the window_sizes of {}", *option_text(setting(&Request::window), asked), run.source));
  config.window_sizes.reset();
  config.window_size = asked.window;
}

/// \param request `asked`, with what the configuration says where that leaves something open
void choose_model(const Request& asked, const Request& request, const PublishedRun& run, const DataSet* data,
                  TrainingPlan& plan) {
  if (!plan.init_from.empty()) {
    take_initial_model(asked, plan);
    plan.reasons.push_back(fmt::format("the model is that of {}, not of {}", plan.init_from, run.source));
    return complete_model(data != nullptr ? data->classes : plan.config.labels, plan);
  }
  format::PartialConfig config = run.model;
  apply_sizes(request, *request.preset, config);
  config.conv_kernel_size = request.kernel;
  if (!config.window_sizes) config.window_size = request.window;
  choose_layers(asked, run, config, plan);
  config.position_embedding =
      request.positions == "sinusoidal" ? format::PositionEmbedding::kSinusoidal : format::PositionEmbedding::kLearned;
  if (!config.max_position_embeddings) config.max_position_embeddings = interop::kUnsaidPositions;
  config.masking = format::parse_masking(*request.masking);
  if (!config.num_labels) config.num_labels = run.data_set->num_classes;
  if (data != nullptr) {
    config.labels = data->classes;
    config.num_labels.reset();
  }
  plan.config = format::complete(config, run.source);  // numbers the classes where nothing names them
  complete_model(plan.config.labels, plan);
}

std::string describe(const data::ImageAugmentation& augmentation) {
  std::string text;
  if (augmentation.min_crop_area > 0)
    text += fmt::format(", cut to {} of the area or more", augmentation.min_crop_area);
  if (augmentation.flip) text += ", mirrored";
  if (augmentation.rand_augment_operations > 0)
    text += fmt::format(", changed by RandAugment ({} operations, magnitude {})", augmentation.rand_augment_operations,
                        augmentation.rand_augment_magnitude);
  if (augmentation.erasing_probability > 0)
    text += fmt::format(", erased in a place (probability {})", augmentation.erasing_probability);
  return text;
}

std::string describe(const data::SoundAugmentation& augmentation) {
  std::string text;
  if (augmentation.noise_db != 0) text += fmt::format(", laid over noise at {} dB", augmentation.noise_db);
  if (augmentation.roll_fraction > 0)
    text += fmt::format(", rolled by up to {} of the length", augmentation.roll_fraction);
  if (augmentation.mixup) text += ", mixed with another one";
  return text;
}

void take_augmentation(const Request& asked, const PublishedRun& run, const DataSet* data, TrainingPlan& plan) {
  if (asked.augment == "auto" || asked.augment == "strong")
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: how files are changed is what {} says; {} none leaves that out",
                            *option_text(setting(&Request::augment), asked), run.source,
                            option_name(&Request::augment)));
  if (asked.augment == "none") {
    plan.reasons.push_back(
        fmt::format("{}, not the augmentation of {}", *option_text(setting(&Request::augment), asked), run.source));
    return;
  }
  if (plan.preprocess.image) plan.image_augmentation = run.image_augmentation;
  if (plan.preprocess.sound) plan.sound_augmentation = run.sound_augmentation;
  if (data != nullptr) leave_out_missing_noise(*data, plan);
  const std::string changes = describe(plan.image_augmentation) + describe(plan.sound_augmentation);
  plan.reasons.push_back("training files: " + (changes.empty() ? "as they are" : changes.substr(2)));
}

/// How the number of files per step comes about.
std::string batch_text(const Request& asked, const PublishedRun& run, const TrainingPlan& plan) {
  if (asked.batch_size) return fmt::format("{} files a step", plan.batch_size);
  return fmt::format("{} files a step: {} on each of {} GPUs, as published, {} times", plan.batch_size,
                     run.batch_per_gpu, run.data_set->num_gpus, run.num_accumulated);
}

void choose_published_schedule(const Request& asked, Request request, const PublishedRun& run, std::size_t num_files,
                               TrainingPlan& plan) {
  plan.batch_size = *request.batch_size;
  const std::size_t steps = data::num_batches(num_files, static_cast<std::size_t>(plan.batch_size));
  if (run.max_iterations && asked.epochs)
    plan.reasons.push_back(fmt::format("{}, not max_iterations {} of {}",
                                       *option_text(setting(&Request::epochs), asked), *run.max_iterations,
                                       run.source));
  if (run.max_iterations && !asked.epochs && !asked.steps)
    request.epochs = static_cast<double>(*run.max_iterations) / static_cast<double>(steps);
  choose_schedule(
      request, num_files, [] { return 0.0; }, plan);
  Schedule& s = plan.schedule;
  s.warmup_init_lr = run.warmup_init_lr;
  plan.reasons.push_back(batch_text(asked, run, plan));
  plan.reasons.push_back(
      fmt::format("{:g} epochs of {} steps; learning rate from {} to {} in {} steps, then along a cosine, {}, to {}; "
                  "weight decay {}, label smoothing {}, average of the weights with momentum {}",
                  plan.epochs(), s.steps_per_epoch, s.warmup_init_lr, s.max_lr, s.warmup_steps,
                  s.is_per_epoch ? "once an epoch" : "every step", s.min_lr, plan.weight_decay, plan.label_smoothing,
                  plan.ema_momentum));
}

}  // namespace

TrainingPlan choose_published_plan(const Request& asked, const PublishedRun& run, const DataSet* data,
                                   const Machine& machine) {
  TrainingPlan plan;
  plan.asked = asked;
  plan.command = command_line(asked);
  for (const std::string& remark : run.remarks) plan.reasons.push_back("warning: " + remark);
  Request request = asked;
  for (const std::string& contradiction : fill_in(request, run.settings))
    plan.reasons.push_back(fmt::format("{} of {}: the command line wins", contradiction, run.source));
  take_settings(request, plan);
  if (data != nullptr) plan.data_fingerprint = data::fingerprint(*data, plan.data);
  describe_data(run, data, plan);
  choose_device(request, machine, plan);
  choose_files(request, run, plan);
  choose_model(asked, request, run, data, plan);
  choose_initialisation(plan);
  take_augmentation(asked, run, data, plan);
  plan.balance_classes = asked.balance == "on";
  const auto published_files = static_cast<std::size_t>(run.data_set->num_training_files);
  choose_published_schedule(asked, request, run, data != nullptr ? data->train.size() : published_files, plan);
  return plan;
}

PublishedTraining plan_published(const Request& asked, const Machine& machine) {
  const PublishedRun run = read_published_run(asked.config.value());
  const std::optional<std::string> folder = asked.data ? asked.data : run.settings.data;
  PublishedTraining training;
  if (folder && base::exists(*folder)) {
    TrainingPlan settings;
    take_settings(asked, settings);
    training.data = data::find_data_set(*folder, split_options(settings));
    require_trainable(*training.data, base::printable(*folder));
  } else if (!asked.dry_run) {
    throw Error(ErrorCode::kNotFound, fmt::format("{}: is not there. This run needs {}; give {} DIR: {}",
                                                  folder.value_or(std::string(run.data_set->title)), data_set_text(run),
                                                  option_name(&Request::data), run.data_set->layout));
  }
  training.plan = choose_published_plan(asked, run, training.data ? &*training.data : nullptr, machine);
  return training;
}

}  // namespace byteformer::plan
