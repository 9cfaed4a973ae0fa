// A published configuration, section by section: data, model, files, augmentation, optimizer, schedule; and the keys
// that nobody asked for.
#include <algorithm>
#include <limits>
#include <set>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "interop/partial_config.hpp"
#include "interop/yaml_file.hpp"
#include "plan/published_plan.hpp"

namespace byteformer::plan {
namespace {

using interop::kPresets;
using interop::Paths;
using interop::Preset;
using interop::YamlFile;

constexpr std::size_t kMaxConfigBytes = 1 << 20;

/// The number at `path`, within the bounds of the setting that it is.
std::optional<std::int64_t> read(const YamlFile& yaml, std::string_view path,
                                 std::optional<std::int64_t> Request::*member) {
  return yaml.integer(path, whole(member).min, whole(member).max);
}
std::optional<double> read(const YamlFile& yaml, std::string_view path, std::optional<double> Request::*member) {
  return yaml.number(path, decimal(member).min, decimal(member).max);
}

/// \throws Error kUnsupported if there is another number than the `only` one that is built.
void require_number(const YamlFile& yaml, std::string_view path, double only) {
  constexpr double kMost = std::numeric_limits<double>::max();
  if (yaml.number(path, -kMost, kMost).value_or(only) != only)
    yaml.refuse(path, base::joined(only, ": others are not built"), ErrorCode::kUnsupported);
}

// Files.

using bytes::ShuffleMode;

constexpr std::int64_t kDefaultCrop = 224;
constexpr std::int64_t kMinDecibels = -200;
constexpr double kLeastShare = std::numeric_limits<double>::min();  // a share of nothing makes no sense

/// Whether the part `name` of a section is switched on; what is not there is off.
bool is_enabled(const YamlFile& yaml, const std::string& name) {
  return yaml.boolean(name + ".enable").value_or(false);
}

/// What the published code can do and this build cannot.
void require_disabled(const YamlFile& yaml, const std::string& name) {
  if (is_enabled(yaml, name))
    yaml.refuse(name + ".enable", "false: this build does not do that", ErrorCode::kUnsupported);
}

void require_bicubic(const YamlFile& yaml, const std::string& name) {
  yaml.choice(name + ".interpolation", {"bicubic"});
}

void read_encoding(const YamlFile& yaml, PublishedRun& run) {
  const std::string save = "image_augmentation.pil_save";
  const auto format = yaml.choice(save + ".file_encoding", {"tiff", "png", "jpeg", "fhwc", "fchw"});
  const auto quality = read(yaml, save + ".quality", &Request::quality);
  if (!is_enabled(yaml, save) || !format)
    base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", save, R"( needs "enable: true" and a file_encoding: )",
               "a ByteFormer reads the bytes of files");
  run.settings.encode = format;
  if (format == "jpeg") run.settings.quality = quality.value_or(100);
}

/// The published code crops training pictures to the size of the sampler, others to that of center_crop.
void read_crop(const YamlFile& yaml, PublishedRun& run) {
  const auto size = read(yaml, "image_augmentation.center_crop.size", &Request::crop);
  const bool is_cropped = is_enabled(yaml, "image_augmentation.center_crop");
  if (is_cropped) run.settings.crop = size.value_or(kDefaultCrop);
  for (const char* path : {"sampler.bs.crop_size_width", "sampler.bs.crop_size_height"}) {
    const auto training = read(yaml, path, &Request::crop);
    if (training && !run.settings.crop) run.settings.crop = training;
    if (training && training != run.settings.crop)
      yaml.refuse(path,
                  base::joined("the ", *run.settings.crop, " of evaluation: both sizes, and both sides, are one here"),
                  ErrorCode::kUnsupported);
  }
}

void read_sizes(const YamlFile& yaml, PublishedRun& run) {
  const auto resize = read(yaml, "image_augmentation.resize.size", &Request::resize);
  if (is_enabled(yaml, "image_augmentation.resize")) run.settings.resize = resize.value_or(256);
  require_bicubic(yaml, "image_augmentation.resize");
  read_crop(yaml, run);
}

void read_image_augmentation(const YamlFile& yaml, PublishedRun& run) {
  const std::string section = "image_augmentation.";
  data::ImageAugmentation& augmentation = run.image_augmentation;
  require_bicubic(yaml, section + "random_resized_crop");
  if (is_enabled(yaml, section + "random_resized_crop")) {
    augmentation.min_crop_area = 0.08;
    if (!run.settings.crop) run.settings.crop = kDefaultCrop;
  }
  augmentation.flip = is_enabled(yaml, section + "random_horizontal_flip");
  require_number(yaml, section + "random_horizontal_flip.p", 0.5);
  if (is_enabled(yaml, section + "rand_augment")) augmentation.rand_augment_operations = 2;
  const auto probability = yaml.number(section + "random_erase.p", 0, 1);
  if (is_enabled(yaml, section + "random_erase")) augmentation.erasing_probability = probability.value_or(0.25);
  require_disabled(yaml, section + "mixup");
  require_disabled(yaml, section + "cutmix");
}

void read_shuffle(const YamlFile& yaml, bytes::Transforms& transforms) {
  const std::string section = "image_augmentation.shuffle_bytes";
  const auto mode =
      yaml.choice(section + ".mode", {"reverse", "cyclic_half_length", "stride", "window_shuffle", "random_shuffle"});
  const auto stride = yaml.integer(section + ".stride", 1, bytes::Shuffle::kMaxSize);
  const auto window = yaml.integer(section + ".window_size", 1, bytes::Shuffle::kMaxSize);
  if (!is_enabled(yaml, section)) return;
  if (!mode) base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".mode is missing; add it");
  bytes::Shuffle shuffle{.mode = bytes::parse_shuffle_mode(*mode)};
  const auto size = shuffle.mode == ShuffleMode::kStride ? stride : window;
  if (bytes::has_size(shuffle.mode) && size) shuffle.n = static_cast<std::uint32_t>(*size);
  transforms.shuffle = shuffle;
}

void read_mask(const YamlFile& yaml, bytes::Transforms& transforms) {
  const std::string section = "image_augmentation.mask_positions";
  const auto keep_frac = yaml.number(section + ".keep_frac", kLeastShare, 1);
  if (!is_enabled(yaml, section)) return;
  if (!keep_frac) base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".keep_frac is missing; add it");
  transforms.mask = {.keep_frac = *keep_frac};
}

void read_noise(const YamlFile& yaml, bytes::Transforms& transforms) {
  const std::string section = "image_augmentation.random_uniform";
  const auto range = yaml.integers(section + ".width_range");
  if (!is_enabled(yaml, section)) return;
  constexpr std::int64_t kMost = bytes::UniformNoise::kMaxWidth;
  if (!range) base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".width_range is missing; add it");
  if (range->size() != 2 || range->front() < -kMost || range->front() > range->back() || range->back() > kMost)
    yaml.refuse(section + ".width_range",
                base::joined("the smallest and the largest number to add, from ", -kMost, " to ", kMost));
  transforms.noise = {static_cast<int>(range->front()), static_cast<int>(range->back())};
}

void read_noise_level(const YamlFile& yaml, const std::string& section, data::SoundAugmentation& augmentation) {
  const auto levels = yaml.integers(section + ".levels");
  if (!is_enabled(yaml, section)) return;
  if (levels && (levels->size() != 1 || levels->front() < kMinDecibels || levels->front() > -1))
    yaml.refuse(section + ".levels", base::joined("one level from ", kMinDecibels, " to -1 decibels"),
                ErrorCode::kUnsupported);
  augmentation.noise_db = levels ? static_cast<double>(levels->front()) : -50;
}

void read_image_files(const YamlFile& yaml, PublishedRun& run) {
  read_encoding(yaml, run);
  read_sizes(yaml, run);
  read_image_augmentation(yaml, run);
  read_shuffle(yaml, run.transforms);
  read_mask(yaml, run.transforms);
  read_noise(yaml, run.transforms);
  if (is_enabled(yaml, "image_augmentation.byte_permutation"))
    run.transforms.permutations.push_back(bytes::BytePermutation::of_seed());
}

void read_sound_files(const YamlFile& yaml, PublishedRun& run) {
  const std::string section = "audio_augmentation.", save = section + "torchaudio_save";
  const auto format = yaml.choice(save + ".format", {"wav", "mp3"});
  const auto sample_format = yaml.choice(save + ".encoding_dtype", {"float32", "int32", "int16", "uint8"});
  if (!is_enabled(yaml, save) || !format)
    base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", save, R"( needs "enable: true" and a format: )",
               "a ByteFormer reads the bytes of files");
  run.settings.encode = format;
  if (format == "wav") run.settings.sample_format = sample_format.value_or("float32");
  run.settings.sample_rate = 16'000;
  run.settings.duration_s = 1;
  read_noise_level(yaml, section + "noise", run.sound_augmentation);
  const auto roll = yaml.number(section + "roll.window", 0, 1);
  if (is_enabled(yaml, section + "roll")) run.sound_augmentation.roll_fraction = roll.value_or(0.1);
  run.sound_augmentation.mixup = yaml.boolean("dataset.speech_commands_v2.mixup").value_or(false);
}

// Everything else.

void read_data(const YamlFile& yaml, PublishedRun& run) {
  const auto name = yaml.choice("dataset.name", {kPublishedDataSets[0].name, kPublishedDataSets[1].name});
  if (!name)
    base::fail(ErrorCode::kInvalidFormat, yaml.source(),
               ": dataset.name is missing; add imagenet or speech_commands_v2");
  run.data_set = std::ranges::find(kPublishedDataSets, *name, &PublishedDataSet::name);
  run.folders = {yaml.text("dataset.root_train").value_or(""), yaml.text("dataset.root_val").value_or("")};
  run.settings.data = run.folders.common();
}

void read_batch(const YamlFile& yaml, PublishedRun& run) {
  run.batch_per_gpu = read(yaml, "dataset.train_batch_size0", &Request::batch_size).value_or(48);
  run.num_accumulated = read(yaml, "common.accum_freq", &Request::batch_size).value_or(1);
  const std::int64_t batch_size = run.batch_per_gpu * run.num_accumulated * run.data_set->num_gpus;
  const std::int64_t most = whole(&Request::batch_size).max;
  if (batch_size > most)
    base::fail(ErrorCode::kInvalidFormat, yaml.source(), ": dataset.train_batch_size0 ", run.batch_per_gpu,
               " and common.accum_freq ", run.num_accumulated, " make steps of ", batch_size,
               " files, expected at most ", most);
  run.settings.batch_size = batch_size;
  if (yaml.boolean("common.mixed_precision") == false) run.settings.precision = "float32";
}

void read_optimizer(const YamlFile& yaml, Request& settings) {
  yaml.choice("loss.category", {"classification"});
  yaml.choice("loss.classification.name", {"cross_entropy"});
  settings.label_smoothing =
      read(yaml, "loss.classification.cross_entropy.label_smoothing", &Request::label_smoothing).value_or(0);
  yaml.choice("optim.name", {"adamw"});
  settings.optimizer = "adamw";
  settings.weight_decay = read(yaml, "optim.weight_decay", &Request::weight_decay).value_or(0.05);
  if (yaml.boolean("optim.no_decay_bn_filter_bias") == false)
    yaml.refuse("optim.no_decay_bn_filter_bias", "true: norms and biases do not decay here", ErrorCode::kUnsupported);
  require_number(yaml, "optim.adamw.beta1", 0.9);
  require_number(yaml, "optim.adamw.beta2", 0.999);
  settings.clip_norm = 0;
  const double momentum = read(yaml, "ema.momentum", &Request::ema_momentum).value_or(1e-4);
  settings.ema_momentum = yaml.boolean("ema.enable").value_or(false) ? momentum : 1;  // 1: the weights themselves
}

void read_schedule(const YamlFile& yaml, PublishedRun& run) {
  yaml.choice("scheduler.name", {"cosine"});
  const bool counts_steps = yaml.boolean("scheduler.is_iteration_based").value_or(false);
  const auto epochs = yaml.integer("scheduler.max_epochs", 1, 100'000);
  const auto iterations = read(yaml, "scheduler.max_iterations", &Request::steps);
  if (counts_steps && !iterations)
    base::fail(ErrorCode::kInvalidFormat, yaml.source(),
               ": scheduler.is_iteration_based needs scheduler.max_iterations; add it");
  run.settings.schedule = counts_steps ? "step" : "epoch";
  if (counts_steps) run.max_iterations = iterations;
  if (!counts_steps) run.settings.epochs = static_cast<double>(epochs.value_or(300));
  run.settings.warmup_steps = read(yaml, "scheduler.warmup_iterations", &Request::warmup_steps).value_or(0);
  run.warmup_init_lr = read(yaml, "scheduler.warmup_init_lr", &Request::learning_rate).value_or(run.warmup_init_lr);
  run.settings.learning_rate = read(yaml, "scheduler.cosine.max_lr", &Request::learning_rate).value_or(1e-3);
  run.settings.min_learning_rate = read(yaml, "scheduler.cosine.min_lr", &Request::min_learning_rate).value_or(2e-5);
}

void read_model(const YamlFile& yaml, PublishedRun& run) {
  run.model = read_published_model(yaml);
  Request& settings = run.settings;
  const std::int64_t hidden_size = run.model.hidden_size.value_or(kPresets.front().hidden_size);
  settings.preset = std::ranges::find(kPresets, hidden_size, &Preset::hidden_size)->name;
  settings.kernel = run.model.conv_kernel_size.value_or(16);
  if (!run.model.window_sizes) settings.window = run.model.window_size.value_or(128);
  settings.positions = format::to_string(run.model.position_embedding.value_or(format::PositionEmbedding::kLearned));
  settings.masking = "released";         // what the published code computes
  settings.initialisation = "released";  // whatever model.layer says: it never applies that
  settings.dropout = read(yaml, "model.classification.byteformer.dropout", &Request::dropout).value_or(0);
  settings.stochastic_depth =
      read(yaml, "model.classification.byteformer.stochastic_dropout", &Request::stochastic_depth).value_or(0);
}

// Keys that were not read.

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

/// Whether the section of `path` is none that is known, but is called nearly as a strict one.
bool is_nearly_strict(const std::string& path, const Paths& known) {
  const auto section_of = [](const std::string& key) { return key.substr(0, key.find('.')); };
  std::set<std::string> sections;
  for (const std::string& key : known) sections.insert(section_of(key));
  if (sections.contains(section_of(path))) return false;
  const auto nearest = base::nearest_word(section_of(path), {sections.begin(), sections.end()});
  return nearest && is_strict(*nearest + '.');
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

/// What `yaml` says beyond what it was asked for: a remark that names the known keys without effect, and one for each
/// unknown key, with its line and the nearest known one.
/// \param unused a section that does not apply to this run, with its dot at the end
/// \throws Error kInvalidFormat for an unknown key of a section that decides what is computed, or of one that is called
///         nearly so.
std::vector<std::string> remarks_on_keys(const YamlFile& yaml, std::string_view unused) {
  const Paths asked = yaml.asked();
  const Paths known = known_paths(asked);
  std::string without_effect;
  std::vector<std::string> remarks;
  for (const auto& [path, line, is_null] : yaml.keys()) {
    if (is_null || asked.contains(path)) continue;
    if (is_without_effect(path) || path.starts_with(unused) || is_switched_off(yaml, path)) {
      without_effect += (without_effect.empty() ? "" : ", ") + base::excerpt(path);
      continue;
    }
    const std::string unknown = unknown_key(yaml, path, line, known);
    if (is_strict(path) || is_nearly_strict(path, known)) base::fail(ErrorCode::kInvalidFormat, unknown);
    remarks.push_back(unknown + "; it is ignored");
  }
  if (!without_effect.empty())
    remarks.insert(remarks.begin(), base::joined(yaml.source(), ": without effect here: ", without_effect));
  return remarks;
}

}  // namespace

std::optional<std::string> PublishedFolders::common() const {
  if (train.empty()) return std::nullopt;
  if (validation.empty() || train == validation) return train;
  const auto above = [](const std::string& folder) {
    const std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
    return path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  };
  if (above(train) != above(validation) || above(train).empty()) return std::nullopt;
  return above(train).native();
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

}  // namespace byteformer::plan
