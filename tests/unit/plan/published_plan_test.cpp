// The 45 published runs become plans, and the command line wins over them.
#include "plan/published_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/survey.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::plan {
namespace {

using bytes::ShuffleMode;
using media::SampleFormat;
using prepare::FileFormat;
using testing::Contains;
using testing::HasSubstr;

/// What the experiments of the paper differ in; the rest is the recipe of its images or of its sounds.
struct PublishedCase {
  const char* name;
  FileFormat format;
  std::int64_t kernel, window;
  int quality = 0;                                    ///< JPEG
  SampleFormat sample_format = SampleFormat::kInt16;  ///< WAV
  std::optional<ShuffleMode> shuffle = std::nullopt;
  std::optional<double> keep_frac = std::nullopt;
  std::optional<int> noise = std::nullopt;  ///< bound, with a permutation
};

constexpr PublishedCase kCases[] = {
    {.name = "image_tiff", .format = FileFormat::kTiff, .kernel = 32, .window = 128},
    {.name = "image_png", .format = FileFormat::kPng, .kernel = 32, .window = 128},
    {.name = "image_fhwc", .format = FileFormat::kFhwc, .kernel = 32, .window = 128},
    {.name = "image_fchw", .format = FileFormat::kFchw, .kernel = 32, .window = 128},
    {.name = "jpeg_q100_k8", .format = FileFormat::kJpeg, .kernel = 8, .window = 128, .quality = 100},
    {.name = "jpeg_q100_k16", .format = FileFormat::kJpeg, .kernel = 16, .window = 128, .quality = 100},
    {.name = "jpeg_q100_k32", .format = FileFormat::kJpeg, .kernel = 32, .window = 128, .quality = 100},
    {.name = "jpeg_q60_k4_w32", .format = FileFormat::kJpeg, .kernel = 4, .window = 32, .quality = 60},
    {.name = "jpeg_q60_k4_w128", .format = FileFormat::kJpeg, .kernel = 4, .window = 128, .quality = 60},
    {.name = "jpeg_q60_k8_w32", .format = FileFormat::kJpeg, .kernel = 8, .window = 32, .quality = 60},
    {.name = "jpeg_q60_k8_w128", .format = FileFormat::kJpeg, .kernel = 8, .window = 128, .quality = 60},
    {.name = "jpeg_q60_k16_w32", .format = FileFormat::kJpeg, .kernel = 16, .window = 32, .quality = 60},
    {.name = "jpeg_q60_k16_w128", .format = FileFormat::kJpeg, .kernel = 16, .window = 128, .quality = 60},
    {.name = "jpeg_q60_k32_w32", .format = FileFormat::kJpeg, .kernel = 32, .window = 32, .quality = 60},
    {.name = "jpeg_q60_k32_w128", .format = FileFormat::kJpeg, .kernel = 32, .window = 128, .quality = 60},
    {.name = "order_reverse",
     .format = FileFormat::kJpeg,
     .kernel = 32,
     .window = 128,
     .quality = 100,
     .shuffle = ShuffleMode::kReverse},
    {.name = "order_cyclic_half_length",
     .format = FileFormat::kJpeg,
     .kernel = 32,
     .window = 128,
     .quality = 100,
     .shuffle = ShuffleMode::kCyclicHalfLength},
    {.name = "order_stride",
     .format = FileFormat::kJpeg,
     .kernel = 32,
     .window = 128,
     .quality = 100,
     .shuffle = ShuffleMode::kStride},
    {.name = "order_window_shuffle",
     .format = FileFormat::kJpeg,
     .kernel = 32,
     .window = 128,
     .quality = 100,
     .shuffle = ShuffleMode::kWindowShuffle},
    {.name = "order_random_shuffle",
     .format = FileFormat::kJpeg,
     .kernel = 32,
     .window = 128,
     .quality = 100,
     .shuffle = ShuffleMode::kRandomShuffle},
    {.name = "obfuscation_0", .format = FileFormat::kFhwc, .kernel = 32, .window = 128, .noise = 0},
    {.name = "obfuscation_5", .format = FileFormat::kFhwc, .kernel = 32, .window = 128, .noise = 5},
    {.name = "obfuscation_10", .format = FileFormat::kFhwc, .kernel = 32, .window = 128, .noise = 10},
    {.name = "obfuscation_20", .format = FileFormat::kFhwc, .kernel = 32, .window = 128, .noise = 20},
    {.name = "camera_0.03_k4", .format = FileFormat::kFhwc, .kernel = 4, .window = 128, .keep_frac = 0.03},
    {.name = "camera_0.05_k4", .format = FileFormat::kFhwc, .kernel = 4, .window = 128, .keep_frac = 0.05},
    {.name = "camera_0.1_k4", .format = FileFormat::kFhwc, .kernel = 4, .window = 128, .keep_frac = 0.1},
    {.name = "camera_0.25_k8", .format = FileFormat::kFhwc, .kernel = 8, .window = 128, .keep_frac = 0.25},
    {.name = "camera_0.5_k16", .format = FileFormat::kFhwc, .kernel = 16, .window = 128, .keep_frac = 0.5},
    {.name = "camera_0.75_k32", .format = FileFormat::kFhwc, .kernel = 32, .window = 128, .keep_frac = 0.75},
    {.name = "wav_float32_k16",
     .format = FileFormat::kWav,
     .kernel = 16,
     .window = 128,
     .sample_format = SampleFormat::kFloat32},
    {.name = "wav_float32_k32",
     .format = FileFormat::kWav,
     .kernel = 32,
     .window = 128,
     .sample_format = SampleFormat::kFloat32},
    {.name = "wav_int32_k16",
     .format = FileFormat::kWav,
     .kernel = 16,
     .window = 128,
     .sample_format = SampleFormat::kInt32},
    {.name = "wav_int32_k32",
     .format = FileFormat::kWav,
     .kernel = 32,
     .window = 128,
     .sample_format = SampleFormat::kInt32},
    {.name = "wav_int16_k8",
     .format = FileFormat::kWav,
     .kernel = 8,
     .window = 128,
     .sample_format = SampleFormat::kInt16},
    {.name = "wav_int16_k16",
     .format = FileFormat::kWav,
     .kernel = 16,
     .window = 128,
     .sample_format = SampleFormat::kInt16},
    {.name = "wav_int16_k32",
     .format = FileFormat::kWav,
     .kernel = 32,
     .window = 128,
     .sample_format = SampleFormat::kInt16},
    {.name = "wav_uint8_k4",
     .format = FileFormat::kWav,
     .kernel = 4,
     .window = 128,
     .sample_format = SampleFormat::kUint8},
    {.name = "wav_uint8_k8",
     .format = FileFormat::kWav,
     .kernel = 8,
     .window = 128,
     .sample_format = SampleFormat::kUint8},
    {.name = "wav_uint8_k16",
     .format = FileFormat::kWav,
     .kernel = 16,
     .window = 128,
     .sample_format = SampleFormat::kUint8},
    {.name = "wav_uint8_k32",
     .format = FileFormat::kWav,
     .kernel = 32,
     .window = 128,
     .sample_format = SampleFormat::kUint8},
    {.name = "mp3_k4_w32", .format = FileFormat::kMp3, .kernel = 4, .window = 32},
    {.name = "mp3_k4_w128", .format = FileFormat::kMp3, .kernel = 4, .window = 128},
    {.name = "mp3_k8_w32", .format = FileFormat::kMp3, .kernel = 8, .window = 32},
    {.name = "mp3_k8_w128", .format = FileFormat::kMp3, .kernel = 8, .window = 128},
};

std::ostream& operator<<(std::ostream& out, const PublishedCase& run) { return out << run.name; }

Request dry_run(const std::string& name) {
  Request request;
  request.config = test::data_path("published/" + name + ".yaml").string();
  request.dry_run = true;
  return request;
}

TrainingPlan plan_of(const Request& request) { return plan_published(request, {}).plan; }

class PublishedPlanTest : public testing::TestWithParam<PublishedCase> {
 protected:
  bool is_image() const { return prepare::is_image(GetParam().format); }
};

TEST_P(PublishedPlanTest, Model) {
  const format::ModelConfig config = plan_of(dry_run(GetParam().name)).config;
  EXPECT_EQ(config.hidden_size, 192);
  EXPECT_EQ(config.num_hidden_layers, 12);
  EXPECT_EQ(config.num_attention_heads, 3);
  EXPECT_EQ(config.intermediate_size, 768);
  EXPECT_EQ(config.conv_kernel_size, GetParam().kernel);
  EXPECT_EQ(config.window_sizes, std::vector<std::int64_t>(12, GetParam().window));
  EXPECT_EQ(config.window_shifts, (std::vector<std::int64_t>{0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64}));
  EXPECT_EQ(config.downsample, (std::vector<bool>{1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(config.position_embedding, format::PositionEmbedding::kLearned);
  EXPECT_EQ(config.max_position_embeddings, 50'000);
  EXPECT_EQ(config.masking, Masking::kReleased);
  EXPECT_EQ(config.num_labels, is_image() ? 1000 : 12);
}

TEST_P(PublishedPlanTest, DataAndFiles) {
  const TrainingPlan plan = plan_of(dry_run(GetParam().name));
  EXPECT_EQ(plan.data_set, is_image() ? "imagenet" : "speech_commands_v2");
  EXPECT_EQ(plan.data, is_image() ? "/mnt/imagenet" : "/mnt/audio_datasets/speech_commands_v2");
  EXPECT_THAT(plan.reasons, Contains(HasSubstr(is_image() ? "ImageNet" : "Speech Commands v2")));
  ASSERT_EQ(plan.preprocess.image.has_value(), is_image());
  ASSERT_EQ(plan.preprocess.sound.has_value(), !is_image());
  if (is_image()) {
    EXPECT_EQ(plan.preprocess.image->resize, 256);
    EXPECT_EQ(plan.preprocess.image->crop, 224);
    EXPECT_EQ(plan.preprocess.image->encoding.format, GetParam().format);
    if (GetParam().quality != 0) {
      EXPECT_EQ(plan.preprocess.image->encoding.quality, GetParam().quality);
    }
  } else {
    EXPECT_EQ(plan.preprocess.sound->sample_rate, 16'000);
    EXPECT_EQ(plan.preprocess.sound->duration_s, 1);
    EXPECT_EQ(plan.preprocess.sound->encoding.format, GetParam().format);
    EXPECT_EQ(plan.preprocess.sound->encoding.sample_format, GetParam().sample_format);
  }
  EXPECT_EQ(prepare::parse_preprocess(plan.config.preprocess, "the plan"), plan.preprocess);
}

TEST_P(PublishedPlanTest, Transforms) {
  const bytes::Transforms transforms = plan_of(dry_run(GetParam().name)).preprocess.transforms;
  const auto& [name, format, kernel, window, quality, sample_format, mode, keep_frac, noise] = GetParam();
  EXPECT_EQ(transforms.shuffle, mode ? std::optional(bytes::Shuffle{*mode, 1024}) : std::nullopt);
  EXPECT_EQ(transforms.mask, keep_frac ? std::optional(bytes::PositionMask{*keep_frac, 2'147'483'647}) : std::nullopt);
  EXPECT_EQ(transforms.noise, noise ? std::optional(bytes::UniformNoise{-*noise, *noise}) : std::nullopt);
  ASSERT_EQ(transforms.permutations.size(), noise ? 1U : 0U);
  if (noise) {
    EXPECT_EQ(transforms.permutations[0].seed(), 2'147'483'647U);
  }
}

TEST_P(PublishedPlanTest, Augmentation) {
  const TrainingPlan plan = plan_of(dry_run(GetParam().name));
  const data::ImageAugmentation of_images{.min_crop_area = 0.08,
                                          .flip = true,
                                          .rand_augment_operations = 2,
                                          .rand_augment_magnitude = 9,
                                          .erasing_probability = 0.25};
  const data::SoundAugmentation of_sounds{.noise_db = -50, .roll_fraction = 0.1, .mixup = true};
  EXPECT_EQ(plan.image_augmentation, is_image() ? of_images : data::ImageAugmentation{});
  EXPECT_EQ(plan.sound_augmentation, is_image() ? data::SoundAugmentation{} : of_sounds);
}

TEST_P(PublishedPlanTest, Schedule) {
  const TrainingPlan plan = plan_of(dry_run(GetParam().name));
  EXPECT_EQ(plan.batch_size, is_image() ? 48 * 8 * 2 : 48 * 4 * 2);
  EXPECT_EQ(plan.schedule.steps_per_epoch, is_image() ? 1669 : 97);
  EXPECT_EQ(plan.epochs(), 300);
  EXPECT_TRUE(plan.schedule.is_per_epoch);
  EXPECT_EQ(plan.schedule.max_lr, 1e-3);
  EXPECT_EQ(plan.schedule.min_lr, 2e-5);
  EXPECT_EQ(plan.schedule.warmup_init_lr, 1e-6);
  EXPECT_EQ(plan.schedule.warmup_steps, is_image() ? 7'500 : 500);
  EXPECT_EQ(plan.optimizer, "adamw");
  EXPECT_EQ(plan.weight_decay, 0.05);
  EXPECT_EQ(plan.label_smoothing, 0.1);
  EXPECT_EQ(plan.ema_momentum, 1e-4);
  EXPECT_EQ(plan.clip_norm, 0);
  EXPECT_EQ(plan.dropout, 0);
  EXPECT_EQ(plan.initialisation, "released");
  EXPECT_FALSE(plan.balance_classes);
}

TEST_P(PublishedPlanTest, OneWarningNamesKeysWithoutEffect) {
  const TrainingPlan plan = plan_of(dry_run(GetParam().name));
  const auto is_warning = [](const std::string& reason) { return reason.starts_with("warning"); };
  ASSERT_EQ(std::ranges::count_if(plan.reasons, is_warning), 1);
  const std::string warning = *std::ranges::find_if(plan.reasons, is_warning);
  EXPECT_THAT(warning, HasSubstr("common.run_label"));
  EXPECT_THAT(warning, HasSubstr("stats.checkpoint_metric"));
  EXPECT_THAT(warning, Not(HasSubstr("mixup")));
}

INSTANTIATE_TEST_SUITE_P(Runs, PublishedPlanTest, testing::ValuesIn(kCases), [](const auto& run) {
  std::string name = run.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
});

TEST(PublishedPlanOptionsTest, ThereIsACaseForEveryFile) {
  std::set<std::string> names, files;
  for (const PublishedCase& run : kCases) names.insert(run.name);
  for (const auto& entry : std::filesystem::directory_iterator(test::data_path("published")))
    files.insert(entry.path().stem());
  EXPECT_EQ(names.size(), 45U);
  EXPECT_EQ(names, files);
}

TEST(PublishedPlanOptionsTest, TheCommandLineWinsAndThePlanSaysSo) {
  Request request = dry_run("jpeg_q60_k4_w32");
  request.kernel = 8;
  request.window = 64;
  request.quality = 60;
  request.batch_size = 100;
  request.epochs = 2;
  request.masking = "masked";
  request.augment = "none";
  request.preset = "small";
  const TrainingPlan plan = plan_of(request);
  EXPECT_EQ(plan.config.conv_kernel_size, 8);
  EXPECT_EQ(plan.config.window_sizes, std::vector<std::int64_t>(12, 64));
  EXPECT_EQ(plan.config.hidden_size, 384);
  EXPECT_EQ(plan.config.masking, Masking::kMasked);
  EXPECT_EQ(plan.batch_size, 100);
  EXPECT_EQ(plan.epochs(), 2);
  EXPECT_EQ(plan.image_augmentation, data::ImageAugmentation{});
  for (const char* said : {"--kernel 8, not 4", "--window 64, not 32", "--preset small, not tiny", "--masking masked",
                           "--batch-size 100, not 768", "--epochs 2, not 300", "--augment none"})
    EXPECT_THAT(plan.reasons, Contains(HasSubstr(said)));
  EXPECT_THAT(plan.reasons, Not(Contains(HasSubstr("--quality")))) << "as the file says";
}

TEST(PublishedPlanOptionsTest, OptionsOfAnotherKindAreUsageErrors) {
  Request request = dry_run("mp3_k4_w32");
  request.encode = "tiff";
  test::expect_error(ErrorCode::kInvalidArgument, {"--encode tiff"}, [&] { plan_of(request); });
  request = dry_run("image_tiff");
  for (const char* augment : {"auto", "strong"}) {
    request.augment = augment;
    test::expect_error(ErrorCode::kInvalidArgument, {std::string("--augment ") + augment, "image_tiff.yaml", "none"},
                       [&] { plan_of(request); });
  }
}

TEST(PublishedPlanOptionsTest, WithoutDataThereIsAPlanButNoTraining) {
  Request request = dry_run("image_tiff");
  EXPECT_FALSE(plan_published(request, {}).data);
  EXPECT_THAT(plan_of(request).reasons, Contains(HasSubstr("not here: --data names a folder with train/ and val/")));
  request.dry_run = false;
  test::expect_error(ErrorCode::kNotFound, {"/mnt/imagenet: is not there", "ImageNet", "image_tiff.yaml", "--data DIR"},
                     [&] { plan_of(request); });
  request.data = "/nowhere";
  test::expect_error(ErrorCode::kNotFound, {"/nowhere"}, [&] { plan_of(request); });
}

TEST(PublishedPlanOptionsTest, TheDataOfTheCommandLineSayTheClasses) {
  const test::TemporaryFolder folder;
  for (const char* name : {"train/cat/1.ppm", "train/dog/1.ppm", "val/cat/2.ppm", "val/dog/2.ppm"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    test::write_file(folder / name, "P6\n1 1\n255\nabc");
  }
  Request request = dry_run("image_tiff");
  request.dry_run = false;
  request.data = folder.path().string();
  const PublishedTraining training = plan_published(request, {});
  ASSERT_TRUE(training.data);
  EXPECT_EQ(training.plan.config.labels, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(training.plan.schedule.steps_per_epoch, 1);
  EXPECT_EQ(training.plan.data_fingerprint, data::fingerprint(*training.data, folder.path()));
  EXPECT_THAT(training.plan.reasons, Contains(HasSubstr("2 classes, not n_classes 1000")));
}

TEST(PublishedPlanOptionsTest, DataWithoutTrainingFilesAreAnError) {
  const test::TemporaryFolder folder;
  for (const char* name : {"val/cat/1.ppm", "val/dog/1.ppm", "test/cat/2.ppm", "test/dog/2.ppm"}) {
    std::filesystem::create_directories((folder / name).parent_path());
    test::write_file(folder / name, "P6\n1 1\n255\nabc");
  }
  Request request = dry_run("image_tiff");
  request.data = folder.path().string();
  test::expect_error(ErrorCode::kInvalidArgument,
                     {"holds no files to train on", "val/ for validation", "test/ for test"},
                     [&] { plan_of(request); });
}

TEST(PublishedPlanOptionsTest, ThePlanSurvivesTheDisk) {
  const TrainingPlan plan = plan_of(dry_run("order_stride"));
  const TrainingPlan back = parse_plan(to_json(plan), "plan.json");
  EXPECT_EQ(to_json(back), to_json(plan));
  EXPECT_EQ(back.preprocess, plan.preprocess);
  EXPECT_THAT(to_json(plan), HasSubstr("\"epochs\": 300.0"));
}

}  // namespace
}  // namespace byteformer::plan
