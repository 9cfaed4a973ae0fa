// The sections image_augmentation and audio_augmentation: how training files are changed, encoded and transformed.
#include <limits>

#include "format/text.hpp"
#include "interop/published_sections.hpp"

namespace byteformer::interop {
namespace {

using bytes::ShuffleMode;

constexpr std::int64_t kMaxSide = 16'384;  // pixels
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
  const auto quality = yaml.integer(save + ".quality", 1, 100);
  if (!is_enabled(yaml, save) || !format)
    format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", save, R"( needs "enable: true" and a file_encoding: )",
                 "a ByteFormer reads the bytes of files");
  run.settings.encode = format;
  if (format == "jpeg") run.settings.quality = quality.value_or(100);
}

/// The published code crops training pictures to the size of the sampler, others to that of center_crop.
void read_crop(const YamlFile& yaml, PublishedRun& run) {
  const auto size = yaml.integer("image_augmentation.center_crop.size", 1, kMaxSide);
  const bool is_cropped = is_enabled(yaml, "image_augmentation.center_crop");
  if (is_cropped) run.settings.crop = size.value_or(kDefaultCrop);
  for (const char* path : {"sampler.bs.crop_size_width", "sampler.bs.crop_size_height"}) {
    const auto training = yaml.integer(path, 1, kMaxSide);
    if (training && !run.settings.crop) run.settings.crop = training;
    if (training && training != run.settings.crop)
      yaml.refuse(
          path, format::joined("the ", *run.settings.crop, " of evaluation: both sizes, and both sides, are one here"),
          ErrorCode::kUnsupported);
  }
}

void read_sizes(const YamlFile& yaml, PublishedRun& run) {
  const auto resize = yaml.integer("image_augmentation.resize.size", 1, kMaxSide);
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
  if (!mode) format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".mode is missing; add it");
  bytes::Shuffle shuffle{.mode = bytes::parse_shuffle_mode(*mode)};
  const auto size = shuffle.mode == ShuffleMode::kStride ? stride : window;
  if (bytes::has_size(shuffle.mode) && size) shuffle.n = static_cast<std::uint32_t>(*size);
  transforms.shuffle = shuffle;
}

void read_mask(const YamlFile& yaml, bytes::Transforms& transforms) {
  const std::string section = "image_augmentation.mask_positions";
  const auto keep_frac = yaml.number(section + ".keep_frac", kLeastShare, 1);
  if (!is_enabled(yaml, section)) return;
  if (!keep_frac)
    format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".keep_frac is missing; add it");
  transforms.mask = {.keep_frac = *keep_frac};
}

void read_noise(const YamlFile& yaml, bytes::Transforms& transforms) {
  const std::string section = "image_augmentation.random_uniform";
  const auto range = yaml.integers(section + ".width_range");
  if (!is_enabled(yaml, section)) return;
  constexpr std::int64_t kMost = bytes::UniformNoise::kMaxWidth;
  if (!range) format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", section, ".width_range is missing; add it");
  if (range->size() != 2 || range->front() < -kMost || range->front() > range->back() || range->back() > kMost)
    yaml.refuse(section + ".width_range",
                format::joined("the smallest and the largest number to add, from ", -kMost, " to ", kMost));
  transforms.noise = {static_cast<int>(range->front()), static_cast<int>(range->back())};
}

void read_noise_level(const YamlFile& yaml, const std::string& section, data::SoundAugmentation& augmentation) {
  const auto levels = yaml.integers(section + ".levels");
  if (!is_enabled(yaml, section)) return;
  if (levels && (levels->size() != 1 || levels->front() < kMinDecibels || levels->front() > -1))
    yaml.refuse(section + ".levels", format::joined("one level from ", kMinDecibels, " to -1 decibels"),
                ErrorCode::kUnsupported);
  augmentation.noise_db = levels ? static_cast<double>(levels->front()) : -50;
}

}  // namespace

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
    format::fail(ErrorCode::kInvalidFormat, yaml.source(), ": ", save, R"( needs "enable: true" and a format: )",
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

}  // namespace byteformer::interop
