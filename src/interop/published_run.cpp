// The parts of a published configuration put together: data, schedule, optimizer.
#include "interop/published_run.hpp"

#include <algorithm>
#include <limits>

#include "base/file_io.hpp"
#include "format/text.hpp"
#include "interop/presets.hpp"
#include "interop/published_sections.hpp"
#include "interop/published_yaml.hpp"
#include "interop/yaml_file.hpp"

namespace byteformer::interop {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
constexpr std::int64_t kMany = 1'000'000'000;
constexpr std::int64_t kMaxBatch = 1'000'000;  // files
constexpr double kMaxRate = 10;

void read_data(const YamlFile& yaml, PublishedRun& run) {
  const auto name = yaml.choice("dataset.name", {kPublishedDataSets[0].name, kPublishedDataSets[1].name});
  if (!name)
    format::fail(ErrorCode::kInvalidFormat, yaml.source(),
                 ": dataset.name is missing; add imagenet or speech_commands_v2");
  run.data_set = std::ranges::find(kPublishedDataSets, *name, &PublishedDataSet::name);
  run.folders = {yaml.text("dataset.root_train").value_or(""), yaml.text("dataset.root_val").value_or("")};
  run.settings.data = run.folders.common();
}

void read_batch(const YamlFile& yaml, PublishedRun& run) {
  run.batch_per_gpu = yaml.integer("dataset.train_batch_size0", 1, kMaxBatch).value_or(48);
  run.num_accumulated = yaml.integer("common.accum_freq", 1, kMaxBatch).value_or(1);
  const std::int64_t batch_size = run.batch_per_gpu * run.num_accumulated * run.data_set->num_gpus;
  if (batch_size > kMaxBatch)
    format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": dataset.train_batch_size0 ", run.batch_per_gpu,
                 " and common.accum_freq ", run.num_accumulated, " make steps of ", batch_size,
                 " files, expected at most ", kMaxBatch);
  run.settings.batch_size = batch_size;
  if (yaml.boolean("common.mixed_precision") == false) run.settings.precision = "float32";
}

void read_optimizer(const YamlFile& yaml, data::TrainingRequest& settings) {
  yaml.choice("loss.category", {"classification"});
  yaml.choice("loss.classification.name", {"cross_entropy"});
  settings.label_smoothing = yaml.number("loss.classification.cross_entropy.label_smoothing", 0, 0.99).value_or(0);
  yaml.choice("optim.name", {"adamw"});
  settings.weight_decay = yaml.number("optim.weight_decay", 0, kMaxRate).value_or(0.05);
  if (yaml.boolean("optim.no_decay_bn_filter_bias") == false)
    yaml.refuse("optim.no_decay_bn_filter_bias", "true: norms and biases do not decay here", ErrorCode::kUnsupported);
  require_number(yaml, "optim.adamw.beta1", 0.9);
  require_number(yaml, "optim.adamw.beta2", 0.999);
  settings.clip_norm = 0;
  const double momentum = yaml.number("ema.momentum", 0, 1).value_or(1e-4);
  settings.ema_momentum = yaml.boolean("ema.enable").value_or(false) ? momentum : 1;  // 1: the weights themselves
}

void read_schedule(const YamlFile& yaml, PublishedRun& run) {
  yaml.choice("scheduler.name", {"cosine"});
  const bool counts_steps = yaml.boolean("scheduler.is_iteration_based").value_or(false);
  const auto epochs = yaml.integer("scheduler.max_epochs", 1, 100'000);
  const auto iterations = yaml.integer("scheduler.max_iterations", 1, kMany);
  if (counts_steps && !iterations)
    format::fail(ErrorCode::kInvalidFormat, yaml.source(),
                 ": scheduler.is_iteration_based needs scheduler.max_iterations; add it");
  run.settings.schedule = counts_steps ? "step" : "epoch";
  if (counts_steps) run.max_iterations = iterations;
  if (!counts_steps) run.settings.epochs = static_cast<double>(epochs.value_or(300));
  run.settings.warmup_steps = yaml.integer("scheduler.warmup_iterations", 0, kMany).value_or(0);
  run.warmup_init_lr = yaml.number("scheduler.warmup_init_lr", 0, kMaxRate).value_or(run.warmup_init_lr);
  run.settings.learning_rate = yaml.number("scheduler.cosine.max_lr", 0, kMaxRate).value_or(1e-3);
  run.settings.min_learning_rate = yaml.number("scheduler.cosine.min_lr", 0, kMaxRate).value_or(2e-5);
}

void read_model(const YamlFile& yaml, PublishedRun& run) {
  run.model = read_published_model(yaml);
  data::TrainingRequest& settings = run.settings;
  const std::int64_t hidden_size = run.model.hidden_size.value_or(kPresets.front().hidden_size);
  settings.preset = std::ranges::find(kPresets, hidden_size, &Preset::hidden_size)->name;
  settings.kernel = run.model.conv_kernel_size.value_or(16);
  if (!run.model.window_sizes) settings.window = run.model.window_size.value_or(128);
  settings.positions =
      run.model.position_embedding == format::PositionEmbedding::kSinusoidal ? "sinusoidal" : "learned";
  settings.masking = "released";         // what the published code computes
  settings.initialisation = "released";  // whatever model.layer says: it never applies that
  settings.dropout = yaml.number("model.classification.byteformer.dropout", 0, 0.9).value_or(0);
  settings.stochastic_depth = yaml.number("model.classification.byteformer.stochastic_dropout", 0, 0.9).value_or(0);
}

}  // namespace

void require_number(const YamlFile& yaml, std::string_view path, double only) {
  constexpr double kMost = std::numeric_limits<double>::max();
  if (yaml.number(path, -kMost, kMost).value_or(only) != only)
    yaml.refuse(path, format::joined(only, ": others are not built"), ErrorCode::kUnsupported);
}

PublishedRun parse_published_run(std::string_view text, const std::string& source) {
  const YamlFile yaml(text, source);
  PublishedRun run;
  run.source = source;
  run.settings.recipe = "published";
  read_data(yaml, run);
  read_model(yaml, run);
  if (run.data_set->is_sound)
    read_sound_files(yaml, run);
  else
    read_image_files(yaml, run);
  read_batch(yaml, run);
  read_optimizer(yaml, run.settings);
  read_schedule(yaml, run);
  run.remarks = remarks_on_keys(yaml, run.data_set->is_sound ? "image_augmentation." : "audio_augmentation.");
  return run;
}

PublishedRun read_published_run(const std::filesystem::path& path) {
  return parse_published_run(base::read_text_file(path, kMaxConfigBytes), base::printable(path));
}

}  // namespace byteformer::interop
