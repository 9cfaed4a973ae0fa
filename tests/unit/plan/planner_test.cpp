// What is chosen for data of different kinds, and what wins over the choice.
#include "plan/planner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/model_folder.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::plan {
namespace {

data::DataSet data_set(int files_per_class, std::vector<std::string> classes = {"cat", "dog"}) {
  data::DataSet data;
  data.classes = std::move(classes);
  for (int label = 0; label < static_cast<int>(data.classes.size()); ++label)
    for (int i = 0; i < files_per_class; ++i) data.train.push_back({"f" + std::to_string(i), label, {}});
  return data;
}

data::Survey pictures(int width, int height) {
  data::Survey survey;
  survey.num_looked_at = survey.num_images = survey.kinds["jpeg"] = 3;
  survey.bytes = {800, 900, 1000};
  survey.widths = {width, width, width};
  survey.heights = {height, height, height};
  survey.shorter_sides = std::vector<int>(3, std::min(width, height));
  return survey;
}

data::Survey sounds() {
  data::Survey survey;
  survey.num_looked_at = survey.num_sounds = survey.kinds["wav"] = 3;
  survey.bytes = {4000, 8000, 12000};
  survey.durations_s = {0.2, 0.5, 0.9};
  survey.sample_rates = {8000, 8000, 8000};
  return survey;
}

data::Survey texts() {
  data::Survey survey;
  survey.num_looked_at = survey.kinds["other"] = 3;
  survey.bytes = {500, 900, 1000};
  return survey;
}

Request request() {
  Request r;
  r.data = "data";
  return r;
}

TEST(PlannerTest, SmallPicturesKeepTheirSizeAndRowsAreWholeTokens) {
  const TrainingPlan plan = choose_plan(request(), data_set(100), pictures(32, 32), {});
  ASSERT_TRUE(plan.preprocess.image);
  EXPECT_EQ(plan.preprocess.image->resize, 32);
  EXPECT_EQ(plan.preprocess.image->crop, 32);
  EXPECT_EQ(plan.image_augmentation.max_shift, 4);
  EXPECT_EQ(plan.preprocess.image->encoding.format, prepare::FileFormat::kFhwc);
  EXPECT_EQ(96 % plan.config.stride(), 0);
  EXPECT_TRUE(plan.image_augmentation.flip);
  EXPECT_FALSE(plan.reasons.empty());
}

TEST(PlannerTest, LargePicturesAreMadeSmall) {
  const TrainingPlan plan = choose_plan(request(), data_set(100), pictures(500, 375), {});
  ASSERT_TRUE(plan.preprocess.image && plan.preprocess.image->crop);
  EXPECT_EQ(*plan.preprocess.image->crop, 64);
  EXPECT_GT(plan.image_augmentation.min_crop_area, 0);
}

TEST(PlannerTest, CharactersAreNotMirrored) {
  EXPECT_FALSE(choose_plan(request(), data_set(100, {"0", "1", "2"}), pictures(28, 28), {}).image_augmentation.flip);
}

TEST(PlannerTest, SoundsOfAnyLengthHaveRoomToSpare) {
  const TrainingPlan plan = choose_plan(request(), data_set(100), sounds(), {});
  ASSERT_TRUE(plan.preprocess.sound);
  EXPECT_FALSE(plan.preprocess.sound->duration_s);
  EXPECT_GT(plan.config.max_position_embeddings * plan.config.stride(), 2 * 0.9 * 8000);
}

TEST(PlannerTest, PositionsSufficeForTheLongestSoundSlowedDown) {
  data::Survey survey = sounds();
  survey.longest_s = 20;  // one that the sample did not hold
  const TrainingPlan plan = choose_plan(request(), data_set(100), survey, {});
  EXPECT_GT(plan.config.max_position_embeddings * plan.config.stride(), 1.4 * 20 * 8000);
  EXPECT_EQ(plan.config.window_sizes, choose_plan(request(), data_set(100), sounds(), {}).config.window_sizes);
}

Request masked(const std::string& keep_frac) {
  Request r = request();
  r.transforms = R"([{"type":"mask_positions","keep_frac":)" + keep_frac + "}]";
  return r;
}

std::int64_t most_bytes(const TrainingPlan& plan) { return plan.config.max_position_embeddings * plan.config.stride(); }

TEST(PlannerTest, AMaskedPictureGetsAModelForTheBytesThatAreLeft) {
  const TrainingPlan whole = choose_plan(request(), data_set(100), pictures(64, 64), {});
  const TrainingPlan tenth = choose_plan(masked("0.1"), data_set(100), pictures(64, 64), {});
  const std::int64_t num_left = 3 * 64 * 64 / 10;
  EXPECT_EQ(whole.config.stride(), 48);
  EXPECT_EQ(tenth.config.stride(), 4) << "a tenth of the stride, as a power of two";
  EXPECT_GE(most_bytes(tenth), num_left);
  EXPECT_LT(most_bytes(tenth), 2 * num_left);
  EXPECT_GE(tenth.config.window_sizes.front() * tenth.config.stride(), num_left) << "one window still holds the file";
  EXPECT_THAT(tenth.reasons, testing::Contains(testing::HasSubstr("leaves 1228 of the 12288 bytes")));
}

TEST(PlannerTest, MasksOfSoundsAndOtherFilesCountToo) {
  const TrainingPlan sound = choose_plan(masked("0.25"), data_set(100), sounds(), {});
  EXPECT_EQ(sound.config.stride(), 8) << "of 32 without a mask";
  EXPECT_LT(most_bytes(sound), most_bytes(choose_plan(request(), data_set(100), sounds(), {})) / 2);
  data::Survey survey = texts();
  survey.bytes = {8000, 8000, 8192};
  EXPECT_EQ(choose_plan(request(), data_set(100), survey, {}).config.stride(), 16);
  EXPECT_EQ(choose_plan(masked("0.5"), data_set(100), survey, {}).config.stride(), 8);
  EXPECT_EQ(choose_plan(masked("0.001"), data_set(100), survey, {}).config.stride(), 2);
  EXPECT_EQ(choose_plan(masked("1"), data_set(100), survey, {}).config.stride(), 16);
}

TEST(PlannerTest, OtherFilesAreTakenAsTheyAreAndMayHaveAnyLength) {
  const TrainingPlan plan = choose_plan(request(), data_set(100), texts(), {});
  EXPECT_TRUE(plan.preprocess.is_bytes());
  EXPECT_EQ(plan.config.position_embedding, format::PositionEmbedding::kSinusoidal);
  EXPECT_EQ(plan.config.conv_kernel_size, 4);
  data::Survey one_is_large = texts();
  one_is_large.most_bytes = 250 << 20;
  EXPECT_EQ(choose_plan(request(), data_set(100), one_is_large, {}).config.max_position_embeddings,
            format::kMostPositions);
  Request learned = request();
  learned.positions = "learned";
  test::expect_error(ErrorCode::kInvalidArgument, {"max_position_embeddings"},
                     [&] { choose_plan(learned, data_set(100), one_is_large, {}); });
}

TEST(PlannerTest, WhatIsAskedForWins) {
  Request r = request();
  r.encode = "tiff";
  r.kernel = 64;
  r.preset = "tiny";
  r.batch_size = 7;
  r.masking = "released";
  const TrainingPlan plan = choose_plan(r, data_set(100), pictures(32, 32), {});
  EXPECT_EQ(plan.preprocess.image->encoding.format, prepare::FileFormat::kTiff);
  EXPECT_EQ(plan.config.conv_kernel_size, 64);
  EXPECT_EQ(plan.config.num_hidden_layers, 12);
  EXPECT_EQ(plan.config.hidden_size, 192);
  EXPECT_EQ(plan.batch_size, 7);
  EXPECT_EQ(plan.config.masking, Masking::kReleased);
}

TEST(PlannerTest, UnevenClassesAreSeenAndSaid) {
  data::DataSet data = data_set(10);
  for (int i = 0; i < 90; ++i) data.train.push_back({"g" + std::to_string(i), 1, {}});
  const TrainingPlan plan = choose_plan(request(), data, texts(), {});
  EXPECT_TRUE(plan.balance_classes);
  EXPECT_TRUE(std::ranges::any_of(plan.reasons,
                                  [](const std::string& r) { return r.find("10 of `cat`") != std::string::npos; }));
  Request off = request();
  off.balance = "off";
  EXPECT_FALSE(choose_plan(off, data, texts(), {}).balance_classes);
}

TEST(PlannerTest, AJointModelDoesNotNeglectTheRareKind) {
  data::Survey survey = pictures(28, 28);
  survey.num_looked_at = 40;
  survey.num_images = 36;
  survey.num_sounds = 4;
  survey.first_of_medium = {{"pictures", "a.png"}, {"sounds", "b.wav"}};
  survey.durations_s = {0.5, 0.6};
  survey.sample_rates = {8000, 8000};
  EXPECT_TRUE(choose_plan(request(), data_set(100), survey, {}).balance_kinds);
  Request off = request();
  off.balance = "off";
  EXPECT_FALSE(choose_plan(off, data_set(100), survey, {}).balance_kinds);
  EXPECT_FALSE(choose_plan(request(), data_set(100), pictures(28, 28), {}).balance_kinds);
}

TEST(PlannerTest, ThePublishedRecipe) {
  Request r = request();
  r.recipe = "published";
  const data::DataSet data = data_set(7680);
  TrainingPlan plan = choose_plan(r, data, pictures(500, 375), {});
  choose_schedule(
      r, data.train.size(), [] { return ADD_FAILURE() << "no need to measure", 1.0; }, plan);
  EXPECT_EQ(plan.config.hidden_size, 192);
  EXPECT_EQ(plan.config.conv_kernel_size, 32);
  EXPECT_EQ(plan.config.window_sizes, std::vector<std::int64_t>(12, 128));
  EXPECT_EQ(plan.config.max_position_embeddings, 50'000);
  EXPECT_EQ(*plan.preprocess.image->resize, 256);
  EXPECT_EQ(*plan.preprocess.image->crop, 224);
  EXPECT_EQ(plan.batch_size, 768);
  EXPECT_EQ(plan.schedule.total_steps, 300 * 20);
  EXPECT_TRUE(plan.schedule.is_per_epoch);
  EXPECT_EQ(plan.schedule.min_lr, 2e-5);
  EXPECT_EQ(plan.ema_momentum, 1e-4);
  EXPECT_EQ(plan.image_augmentation.rand_augment_operations, 2);
  EXPECT_EQ(plan.image_augmentation.min_crop_area, 0.08);
  EXPECT_EQ(plan.initialisation, "released");
  EXPECT_EQ(plan.optimizer, "adamw");
}

TEST(PlannerTest, MuonStepsUnlessWeightsAreThereOrTheRecipeIsPublished) {
  Request r = request();
  EXPECT_EQ(choose_plan(r, data_set(100), pictures(28, 28), {}).optimizer, "muon");
  r.optimizer = "adamw";
  EXPECT_EQ(choose_plan(r, data_set(100), pictures(28, 28), {}).optimizer, "adamw");
  r.recipe = "published", r.optimizer = "muon";
  EXPECT_EQ(choose_plan(r, data_set(100), pictures(28, 28), {}).optimizer, "muon");
}

TEST(PlannerTest, ThePublishedShiftsStayWhateverTheWindow) {
  Request r = request();
  r.recipe = "published";
  r.window = 32;
  const TrainingPlan plan = choose_plan(r, data_set(100), pictures(500, 375), {});
  EXPECT_EQ(plan.config.window_sizes, std::vector<std::int64_t>(12, 32));
  EXPECT_EQ(plan.config.window_shifts[1], 64);
  EXPECT_TRUE(plan.config.downsample[9]);
}

TEST(PlannerTest, ThePublishedRecipeChangesOnlyWhatTheDataAre) {
  Request r = request();
  r.recipe = "published";
  EXPECT_FALSE(choose_plan(r, data_set(100), pictures(500, 375), {}).sound_augmentation.mixup);
  EXPECT_FALSE(choose_plan(r, data_set(100), sounds(), {}).image_augmentation.flip);
}

TEST(PlannerTest, PicturesThatAreSeenOftenAreChangedMoreAndStronglyForTheAsking) {
  const auto augmentation = [](const Request& r, double epochs) {
    TrainingPlan plan = choose_plan(r, data_set(100), pictures(32, 32), {});
    Request of_epochs = r;
    of_epochs.epochs = epochs;
    choose_schedule(of_epochs, 1000, {}, plan);
    return plan.image_augmentation;
  };
  Request r = request();
  EXPECT_EQ(augmentation(r, 10).rand_augment_operations, 0);
  EXPECT_EQ(augmentation(r, 50).rand_augment_operations, 1);
  EXPECT_EQ(augmentation(r, 50).erasing_probability, 0.2);
  r.augment = "strong";
  EXPECT_EQ(augmentation(r, 10).cutmix_probability, 0.5);
  EXPECT_EQ(augmentation(r, 50).erasing_probability, 0);
  EXPECT_EQ(augmentation(r, 10).min_crop_area, 0.35);
  r.augment = "none";
  EXPECT_EQ(augmentation(r, 50), data::ImageAugmentation{});
  r.augment = "published";
  EXPECT_EQ(augmentation(r, 50).cutmix_probability, 0);
}

TEST(PlannerTest, TransformsAreTakenAndSaid) {
  Request r = request();
  r.transforms = R"([{"type": "shuffle", "mode": "reverse"}])";
  const TrainingPlan plan = choose_plan(r, data_set(100), pictures(32, 32), {});
  ASSERT_TRUE(plan.preprocess.transforms.shuffle);
  EXPECT_EQ(plan.preprocess.transforms.shuffle->mode, bytes::ShuffleMode::kReverse);
  EXPECT_NE(plan.config.preprocess.find("reverse"), std::string::npos) << "the model must remember them";
  EXPECT_TRUE(std::ranges::any_of(
      plan.reasons, [](const std::string& reason) { return reason.find("bytes reversed") != std::string::npos; }));
  r.transforms = R"([{"type": "shuffel"}])";
  test::expect_error(ErrorCode::kInvalidArgument, {"--transforms[0].type"},
                     [&] { choose_plan(r, data_set(100), pictures(32, 32), {}); });
}

TEST(PlannerTest, AMaskedFileNeedsFewerPositions) {
  Request r = request();
  r.kernel = 4;
  const std::int64_t whole = choose_plan(r, data_set(100), pictures(28, 28), {}).config.max_position_embeddings;
  r.transforms = R"([{"type": "mask_positions", "keep_frac": 0.1}])";
  const std::int64_t masked = choose_plan(r, data_set(100), pictures(28, 28), {}).config.max_position_embeddings;
  EXPECT_GE(masked, 235 / 2) << "tokens of the bytes that are kept";
  EXPECT_LT(masked, whole / 5);
}

TEST(PlannerTest, WhereBytesAreNumbersTheStemStartsAsAFilterBank) {
  const auto initialisation = [](const Request& r, const data::Survey& survey) {
    return choose_plan(r, data_set(100), survey, {}).initialisation;
  };
  Request r = request();
  EXPECT_EQ(initialisation(r, pictures(32, 32)), "filter-bank");
  EXPECT_EQ(initialisation(r, sounds()), "filter-bank");
  EXPECT_EQ(initialisation(r, texts()), "released");
  r.encode = "jpeg";
  EXPECT_EQ(initialisation(r, pictures(32, 32)), "released");
  r.initialisation = "filter-bank";
  test::expect_error(ErrorCode::kInvalidArgument, {"--initialisation filter-bank"},
                     [&] { initialisation(r, pictures(32, 32)); });
  r = request();
  r.recipe = "published";
  EXPECT_EQ(initialisation(r, sounds()), "released");
  r.initialisation = "auto";
  EXPECT_EQ(initialisation(r, sounds()), "filter-bank");
  r.initialisation = "normal";
  EXPECT_EQ(initialisation(r, sounds()), "normal");
}

/// The folder of a model, as far as a plan looks at it.
class InitialModelTest : public ::testing::Test {
 protected:
  TrainingPlan plan(const Request& r, const data::Survey& survey) { return choose_plan(r, data_set(100), survey, {}); }

  /// A request that starts from a model of `survey` that was planned as `r` says.
  Request after(const Request& r, const data::Survey& survey) {
    test::write_file(folder_ / "config.json", format::to_json(plan(r, survey).config));
    Request next = request();
    next.init_from = folder_.path().string();
    return next;
  }

  test::TemporaryFolder folder_;
};

TEST_F(InitialModelTest, SoundsArePreparedAsItsOwn) {
  Request r = request();
  r.sample_rate = 8000;
  r.sample_format = "int16";
  r.duration_s = 2;
  Request next = after(r, sounds());
  data::Survey survey = sounds();
  survey.sample_rates = {16'000, 16'000, 16'000};
  const TrainingPlan same = plan(next, survey);
  EXPECT_EQ(same.preprocess.sound->sample_rate, 8000);
  EXPECT_EQ(same.preprocess.sound->encoding.sample_format, media::SampleFormat::kInt16);
  EXPECT_EQ(same.preprocess.sound->duration_s, 2);
  EXPECT_EQ(same.initialisation, "released") << "its weights are there already";
  EXPECT_EQ(same.optimizer, "adamw");
  EXPECT_THAT(same.reasons, testing::Contains(testing::HasSubstr("as " + *next.init_from + " expects it")));
  next.sample_rate = 11'025;
  const TrainingPlan other = plan(next, survey);
  EXPECT_EQ(other.preprocess.sound->sample_rate, 11'025) << "the command line wins";
  EXPECT_EQ(other.preprocess.sound->duration_s, 2);
  EXPECT_THAT(other.reasons, testing::Contains(testing::HasSubstr("expects WAV int16 of 2 s at 8000 Hz")));
}

TEST_F(InitialModelTest, PicturesArePreparedAsItsOwn) {
  Request r = request();
  r.encode = "tiff";
  r.resize = 40;
  r.crop = 32;
  r.transforms = R"([{"type": "shuffle", "mode": "reverse"}])";
  Request next = after(r, pictures(100, 80));
  const TrainingPlan same = plan(next, pictures(64, 64));
  EXPECT_EQ(same.preprocess, plan(r, pictures(100, 80)).preprocess);
  next.encode = "fhwc";
  next.transforms = "[]";
  const TrainingPlan other = plan(next, pictures(64, 64));
  EXPECT_EQ(other.preprocess.image->crop, 32);
  EXPECT_EQ(other.preprocess.image->encoding.format, prepare::FileFormat::kFhwc);
  EXPECT_TRUE(other.preprocess.transforms.empty());
}

TEST_F(InitialModelTest, OneOfFilesAsTheyAreTakesThemSo) {
  EXPECT_TRUE(plan(after(request(), texts()), pictures(32, 32)).preprocess.is_bytes());
}

TEST_F(InitialModelTest, AnotherModelThanItsOwnIsRefusedByOption) {
  Request r = after(request(), pictures(32, 32));
  const TrainingPlan own = plan(r, pictures(32, 32));
  r.kernel = own.config.conv_kernel_size, r.positions = "learned", r.initialisation = "auto";
  EXPECT_EQ(plan(r, pictures(32, 32)).config, own.config) << "what it has anyway may be named";
  r.kernel = 8, r.preset = "tiny", r.positions = "sinusoidal", r.initialisation = "normal", r.layers = 2;
  test::expect_error(ErrorCode::kInvalidArgument,
                     {"--preset tiny", "--layers 2", "--kernel 8", "--positions sinusoidal", "--initialisation normal",
                      "--init-from none"},
                     [&] { plan(r, pictures(32, 32)); });
}

TEST_F(InitialModelTest, ItsTransformsAreSaid) {
  Request r = request();
  r.transforms = R"([{"type": "shuffle", "mode": "reverse"}])";
  const TrainingPlan next = plan(after(r, texts()), texts());
  EXPECT_THAT(next.reasons, testing::Contains(testing::HasSubstr("bytes: bytes reversed, as " + next.init_from)));
}

TEST_F(InitialModelTest, OfAnotherKindItSaysNothing) {
  EXPECT_EQ(plan(after(request(), sounds()), pictures(32, 32)).preprocess,
            plan(request(), pictures(32, 32)).preprocess);
}

TEST_F(InitialModelTest, ASecretKeyIsMissed) {
  Request r = request();
  r.transforms = R"([{"type": "byte_permutation", "fingerprint": ")" + std::string(64, 'a') + "\"}]";
  const Request next = after(r, pictures(32, 32));
  test::expect_error(ErrorCode::kInvalidArgument, {"secret key"}, [&] { plan(next, pictures(32, 32)); });
}

class ShippedStartTest : public ::testing::Test {
 protected:
  ShippedStartTest() {
    Request first = request();
    first.sample_format = "int16", first.duration_s = 1;
    ship("speech-commands", choose_plan(first, data_set(100), sounds(), {}));
    ship("photos", choose_plan(request(), data_set(100), pictures(64, 64), {}));
  }

  void ship(const std::string& name, const TrainingPlan& plan) {
    std::filesystem::create_directory(folder_ / name);
    test::write_file(folder_ / name / "config.json", format::to_json(plan.config));
  }

  TrainingPlan planned(const Request& request, const data::Survey& survey) {
    return choose_plan(request, data_set(100), survey,
                       {.has_cuda = false, .num_threads = 1, .shipped_models = folder_.path()});
  }

  std::string shipped(const std::string& name) { return (folder_.path() / name).string(); }

  test::TemporaryFolder folder_;
};

TEST_F(ShippedStartTest, SoundsAndPicturesStartFromTheModelOfTheirKindAndItIsSaid) {
  const TrainingPlan sound = planned(request(), sounds());
  EXPECT_EQ(sound.init_from, shipped("speech-commands"));
  EXPECT_EQ(sound.preprocess, prepare::read_preprocess(sound.init_from));
  EXPECT_THAT(sound.reasons, testing::Contains(testing::HasSubstr("--init-from none")));
  const TrainingPlan photo = planned(request(), pictures(500, 375));
  EXPECT_EQ(photo.init_from, shipped("photos"));
  EXPECT_EQ(photo.preprocess, prepare::read_preprocess(photo.init_from));
  EXPECT_EQ(planned(request(), pictures(32, 32)).init_from, "");  // enlarged pictures gain nothing
  EXPECT_EQ(planned(request(), texts()).init_from, "");
}

TEST_F(ShippedStartTest, LongerSoundsAreNotCutAndTheModelGrows) {
  data::Survey survey = sounds();
  survey.durations_s = {2.9, 3, 3};
  survey.longest_s = 3;
  const TrainingPlan plan = planned(request(), survey);
  const format::ModelConfig start = format::read_config(shipped("speech-commands"));
  EXPECT_EQ(plan.init_from, shipped("speech-commands"));
  EXPECT_EQ(plan.preprocess.sound->duration_s, 3);
  EXPECT_EQ(plan.preprocess.sound->encoding, prepare::read_preprocess(plan.init_from).sound->encoding);
  EXPECT_GE(plan.config.max_position_embeddings * plan.config.stride(), 3 * 8000 * 2);
  EXPECT_EQ(plan.config.window_sizes, start.window_sizes);
  EXPECT_EQ(plan.config.window_shifts[1], start.window_sizes[1] / 2);
  EXPECT_THAT(plan.reasons, testing::Contains(testing::HasSubstr("these repeat")));
}

TEST_F(ShippedStartTest, WhoeverAsksForAnotherModelOrOtherFilesStartsFromNothing) {
  const auto start = [&](auto Request::*member, auto value) {
    Request r = request();
    r.*member = value;
    return planned(r, sounds()).init_from;
  };
  EXPECT_EQ(start(&Request::init_from, "none"), "");
  EXPECT_EQ(start(&Request::kernel, 32), "");
  EXPECT_EQ(start(&Request::preset, "tiny"), "");
  EXPECT_EQ(start(&Request::initialisation, "filter-bank"), "");
  EXPECT_EQ(start(&Request::recipe, "published"), "");
  EXPECT_EQ(start(&Request::encode, "as-is"), "");
  EXPECT_EQ(start(&Request::sample_rate, 16000), "");
  EXPECT_EQ(start(&Request::sample_rate, 8000), shipped("speech-commands"));
  EXPECT_EQ(start(&Request::seed, 3), shipped("speech-commands"));
}

TEST(PlannerTest, AResumeMayNameTheStartAgain) {
  Request asked = request();
  TrainingPlan plan = choose_plan(asked, data_set(100), sounds(), {});
  asked.init_from = "none";
  require_same_result(asked, plan);
  plan.init_from = "other";
  test::expect_error(ErrorCode::kInvalidArgument, {"--init-from none (was other)"},
                     [&] { require_same_result(asked, plan); });
}

TEST(PlannerTest, StepsAreABudgetOfTheirOwn) {
  for (const char* recipe : {"auto", "published"}) {
    Request r = request();
    r.recipe = recipe;
    r.steps = 7;
    const data::DataSet data = data_set(3200);
    TrainingPlan plan = choose_plan(r, data, pictures(32, 32), {});
    choose_schedule(
        r, data.train.size(), [] { return ADD_FAILURE() << "no need to measure", 1.0; }, plan);
    EXPECT_EQ(plan.schedule.total_steps, 7);
  }
}

TEST(PlannerTest, ABudgetBecomesSteps) {
  Request r = request();
  r.time_s = 100;
  const data::DataSet data = data_set(3200);
  TrainingPlan plan = choose_plan(r, data, pictures(32, 32), {});
  choose_schedule(
      r, data.train.size(), [] { return 0.5; }, plan);
  EXPECT_EQ(plan.schedule.total_steps, 180);
  EXPECT_EQ(plan.time_s, 100);
}

TEST(PlannerTest, APlanSaysWhatBf16MeansOnACpu) {
  const auto mentions_it = [](const TrainingPlan& plan) {
    return std::ranges::any_of(plan.reasons,
                               [](const std::string& reason) { return reason.find("bf16") != std::string::npos; });
  };
  Request r = request();
  EXPECT_FALSE(mentions_it(choose_plan(r, data_set(100), texts(), {})));
  EXPECT_FALSE(mentions_it(choose_plan(r, data_set(100), texts(), {.has_cuda = true})));
  r.precision = "bf16";
  EXPECT_TRUE(mentions_it(choose_plan(r, data_set(100), texts(), {})));
}

/// Two classes of files without a validation part, and the model of a run on them that split it off by seed 1.
class StartSplitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"cat", "dog"}) {
      std::filesystem::create_directories(folder_ / "data" / name);
      for (int i = 0; i < 40; ++i) test::write_file(folder_ / "data" / name / std::to_string(i), "bytes of a " + name);
    }
    const TrainingPlan plan = planned(request(1), start_data_);
    std::filesystem::create_directories(folder_ / "start" / "training");
    test::write_file(folder_ / "start" / "config.json", format::to_json(plan.config));
    test::write_file(folder_ / "start" / "training" / "plan.json", to_json(plan));
  }

  Request request(std::int64_t seed) const {
    Request r;
    r.data = (folder_ / "data").string();
    r.seed = seed;
    r.steps = 10;
    return r;
  }

  Request from_start(std::int64_t seed) const {
    Request r = request(seed);
    r.init_from = (folder_ / "start").string();
    return r;
  }

  static TrainingPlan planned(const Request& r, data::DataSet& data) {
    return plan_for_data(r, {}, [](const std::string&) {}, {}, data);
  }

  test::TemporaryFolder folder_;
  data::DataSet start_data_;
};

TEST_F(StartSplitTest, ValidationStaysWhatTheStartWasNotTrainedOn) {
  data::DataSet data;
  EXPECT_EQ(planned(request(2), data).split_seed, 2);
  EXPECT_NE(data.validation, start_data_.validation);
  const TrainingPlan plan = planned(from_start(2), data);
  EXPECT_EQ(data.validation, start_data_.validation);
  EXPECT_EQ(plan.seed, 2);
  EXPECT_THAT(plan.reasons, testing::Contains(testing::HasSubstr("start was not trained on, either")));
  const TrainingPlan resumed = parse_plan(to_json(plan), "plan.json");
  EXPECT_EQ(data::find_data_set(resumed.data, split_options(resumed)).validation, start_data_.validation);
  EXPECT_EQ(resumed.data_fingerprint, data::fingerprint(start_data_, resumed.data));
}

TEST_F(StartSplitTest, ShippedModelsKeepItInTheirRecipe) {
  std::filesystem::rename(folder_ / "start" / "training" / "plan.json", folder_ / "start" / "recipe.json");
  data::DataSet data;
  planned(from_start(2), data);
  EXPECT_EQ(data.validation, start_data_.validation);
}

TEST_F(StartSplitTest, WhatIsAskedForWinsAndIsSaidToFlatter) {
  Request r = from_start(2);
  r.validation_fraction = 0.5;
  data::DataSet data;
  const TrainingPlan plan = planned(r, data);
  EXPECT_EQ(data.validation.size(), 40);
  EXPECT_THAT(plan.reasons, testing::Contains(testing::HasSubstr("--validation-fraction splits off files that")));
}

TEST_F(StartSplitTest, OtherFilesAndDamagedPlansAreSplitAnew) {
  data::DataSet plain, data;
  planned(request(2), plain);
  test::write_file(folder_ / "start" / "training" / "plan.json", "{\"seed\":");
  EXPECT_EQ(planned(from_start(2), data).split_seed, 2);
  EXPECT_EQ(data.validation, plain.validation);
  SetUp();
  test::write_file(folder_ / "data" / "cat" / "40", "one more");
  EXPECT_EQ(planned(from_start(2), data).split_seed, 2);
}

TEST(PlannerTest, ContradictionsAreUsageErrors) {
  Request r = request();
  r.encode = "wav";
  test::expect_error(ErrorCode::kInvalidArgument, {"--encode wav"},
                     [&] { choose_plan(r, data_set(9), pictures(32, 32), {}); });
  r = request();
  r.device = "cuda";
  test::expect_error(ErrorCode::kInvalidArgument, {"no GPU"}, [&] { choose_plan(r, data_set(9), texts(), {}); });
}

TEST(PlannerTest, OptionsForOtherFilesAreSaidToHaveNoEffect) {
  Request r = request();
  r.sample_rate = 8000, r.max_bytes = 100, r.quality = 50, r.crop = 16, r.transforms = "[]";
  const TrainingPlan plan = choose_plan(r, data_set(9), pictures(32, 32), {});
  EXPECT_THAT(plan.reasons, testing::Contains("without effect on these files: --quality 50, --sample-rate 8000, "
                                              "--max-bytes 100"));
  EXPECT_THAT(plan.reasons, testing::Not(testing::Contains(testing::HasSubstr("random piece"))));
  EXPECT_THAT(plan.reasons, testing::Not(testing::Contains(testing::StartsWith("bytes:"))));
}

TEST(PlannerTest, AugmentationThatIsForOtherFilesHasNoEffect) {
  const auto is_said = [](const Request& r, const data::Survey& survey) {
    const TrainingPlan plan = choose_plan(r, data_set(9), survey, {});
    return std::ranges::any_of(plan.reasons, [](const std::string& reason) {
      return reason.starts_with("without effect on these files: --augment");
    });
  };
  Request r = request();
  r.augment = "strong";
  EXPECT_FALSE(is_said(r, pictures(32, 32)));
  EXPECT_TRUE(is_said(r, sounds()));
  EXPECT_TRUE(is_said(r, texts()));
  r.augment = "published";
  EXPECT_FALSE(is_said(r, sounds()));
  EXPECT_TRUE(is_said(r, texts()));
  const TrainingPlan plan = choose_plan(r, data_set(9), sounds(), {});
  EXPECT_EQ(plan.sound_augmentation.noise_db, 0) << "there are no recordings of noise";
  EXPECT_THAT(plan.reasons, testing::Contains(testing::HasSubstr("no recordings of noise")));
  r.augment = "none";
  EXPECT_FALSE(is_said(r, texts()));
}

TEST(PlannerTest, KernelsThatAreTooSmallAreRefusedAndNoneIsNone) {
  Request r = request();
  r.kernel = 1;
  test::expect_error(ErrorCode::kInvalidArgument, {"conv_kernel_size is 1", "even"},
                     [&] { choose_plan(r, data_set(9), pictures(8, 8), {}); });
  r.kernel = 0;
  const TrainingPlan plan = choose_plan(r, data_set(9), pictures(8, 8), {});
  EXPECT_EQ(plan.config.conv_kernel_size, 0);
  EXPECT_GE(plan.config.max_position_embeddings, 3 * 8 * 8) << "every byte is a token";
}

TEST(PlannerTest, WhereNoFileCanBeReadItSaysWhy) {
  data::Survey survey;
  survey.failures["wav"] = {7, "a.wav: cannot load what decodes"};
  survey.failures["other"] = {1, "b: Permission denied"};
  test::expect_error(ErrorCode::kInvalidFormat,
                     {"data: none of", "a.wav: cannot load what decodes", "b: Permission denied"},
                     [&] { choose_plan(request(), data_set(10), survey, {}); });
}

TEST(TrainableTest, NothingToLearnFromIsNamed) {
  data::DataSet data;
  data.classes = {"cat", "dog"};
  data.validation = {{"val/cat/1", 0, {}}, {"val/dog/1", 1, {}}};
  test::expect_error(ErrorCode::kInvalidArgument, {"pets: holds no files to train on", "2 for validation"},
                     [&] { require_trainable(data, "pets"); });
  data.train = data.validation;
  require_trainable(data, "pets");
  data.classes = {"cat"};
  test::expect_error(ErrorCode::kInvalidArgument, {"pets: has 1 class"}, [&] { require_trainable(data, "pets"); });
}

}  // namespace
}  // namespace byteformer::plan
