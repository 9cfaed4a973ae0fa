// The learning rate, and a plan's way to the disk and back.
#include "plan/plan.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "plan/progress.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::plan {
namespace {

TEST(ScheduleTest, WarmsUpLinearlyThenFollowsACosine) {
  const Schedule s{
      .max_lr = 1, .min_lr = 0.2, .warmup_init_lr = 0.1, .warmup_steps = 9, .total_steps = 109, .steps_per_epoch = 10};
  EXPECT_DOUBLE_EQ(learning_rate(s, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(s, 3), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate(s, 9), 1);
  EXPECT_NEAR(learning_rate(s, 59), 0.6, 1e-12);
  EXPECT_NEAR(learning_rate(s, 109), 0.2, 1e-12);
  EXPECT_NEAR(learning_rate(s, 500), 0.2, 1e-12);
}

TEST(ScheduleTest, PerEpochTheCosineStandsStillWithinAnEpoch) {
  const Schedule s{
      .max_lr = 1, .min_lr = 0, .warmup_steps = 2, .total_steps = 40, .steps_per_epoch = 10, .is_per_epoch = true};
  EXPECT_DOUBLE_EQ(learning_rate(s, 2), 1);
  EXPECT_DOUBLE_EQ(learning_rate(s, 9), 1);
  EXPECT_NEAR(learning_rate(s, 20), 0.5, 1e-12);
  EXPECT_EQ(learning_rate(s, 20), learning_rate(s, 29));
}

TrainingPlan some_plan() {
  TrainingPlan plan;
  plan.data = "pictures of caf\xE9s";
  format::PartialConfig config;
  config.hidden_size = 48;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 96;
  config.labels = {"cat", "dog"};
  plan.preprocess.image.emplace().crop = 32;
  config.preprocess = prepare::to_json(plan.preprocess);
  plan.config = format::complete(config, "test");
  plan.schedule.total_steps = 77;
  plan.image_augmentation.flip = true;
  plan.sound_augmentation.gain_db = 3;
  plan.reasons = {"because"};
  plan.asked.epochs = 3;
  plan.seed = 12345678901234567890U;
  return plan;
}

TEST(PlanTest, SurvivesTheDisk) {
  const TrainingPlan plan = some_plan();
  const TrainingPlan back = parse_plan(to_json(plan), "plan.json");
  EXPECT_EQ(to_json(back), to_json(plan));
  EXPECT_EQ(back.data, plan.data);
  EXPECT_EQ(back.preprocess, plan.preprocess);
  EXPECT_EQ(back.config.preprocess, plan.config.preprocess);
  EXPECT_EQ(back.image_augmentation, plan.image_augmentation);
  EXPECT_EQ(back.schedule, plan.schedule);
  EXPECT_EQ(back.seed, plan.seed);
}

TEST(PlanTest, CarriesPathsOfAnyBytes) {
  TrainingPlan original = some_plan();
  original.data = "caf\xe9";
  original.reasons = {"caf\xe9: \\xe9"};
  const TrainingPlan back = parse_plan(to_json(original), "plan.json");
  EXPECT_EQ(back.data, original.data);
  EXPECT_EQ(back.reasons, original.reasons);
}

TEST(ProgressTest, CarriesFailuresOfFilesWithAnyName) {
  Progress progress;
  progress.failures = {"caf\xe9.png: damaged PNG", "caf\\xe9.png: damaged PNG"};
  EXPECT_EQ(parse_progress(to_json(progress), "checkpoint").failures, progress.failures);
}

TEST(PlanTest, DataAreFoundFromAnotherFolderAndAfterAMoveOfAll) {
  namespace fs = std::filesystem;
  const test::TemporaryFolder folder;
  fs::create_directories(folder / "here/data");
  fs::create_directories(folder / "here/runs/model");
  TrainingPlan plan = some_plan();
  EXPECT_EQ(data_place(plan, folder / "here/runs/model"), plan.data);  // a plan of an earlier version
  plan.data = (folder / "here/data").native();
  remember_places(plan, folder / "here/runs/model");
  plan = parse_plan(to_json(plan), "t");
  EXPECT_EQ(plan.data_from_output, "../../data");
  EXPECT_EQ(data_place(plan, "elsewhere"), folder / "here/data");
  fs::rename(folder / "here", folder / "there");
  EXPECT_TRUE(fs::equivalent(data_place(plan, folder / "there/runs/model"), folder / "there/data"));
  EXPECT_EQ(data_place(plan, folder / "nowhere/a/b"), plan.data);
}

TEST(PlanTest, WhatIsNoPlanIsNamed) {
  test::expect_error(ErrorCode::kInvalidFormat, {"x/plan.json"}, [] { parse_plan("{}", "x/plan.json"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x/plan.json"}, [] { parse_plan("", "x/plan.json"); });
}

TEST(PlanTest, ARunGoesOnAsItWasAskedForAndAsItWasChosen) {
  TrainingPlan plan = some_plan();
  plan.asked.augment = "none";
  plan = parse_plan(to_json(plan), "plan.json");
  Request same;
  same.augment = "none";
  same.masking = "masked";
  same.crop = 32;
  same.transforms = "[]";
  same.threads = 3;
  same.data = "moved/pictures";
  require_same_result(same, plan);
  Request other;
  other.window = 64;
  other.masking = "released";
  other.augment = "auto";
  other.threads = 3;
  test::expect_error(ErrorCode::kInvalidArgument,
                     {"--window 64 (was 128)", "--masking released (was masked)", "--augment auto (was none)"},
                     [&] { require_same_result(other, plan); });
}

TEST(PlanTest, ARunThatIsOutOfMemoryGoesOnWithASmallerTokenBudget) {
  TrainingPlan plan = some_plan();
  plan.asked.token_budget = plan.token_budget;
  Request smaller;
  smaller.token_budget = 1'000;
  require_same_result(smaller, plan);
  EXPECT_EQ(take_changes(smaller, plan).size(), 1U);
  EXPECT_EQ(plan.token_budget, 1'000);
  EXPECT_TRUE(take_changes(smaller, plan).empty());
  EXPECT_TRUE(take_changes({}, plan).empty());
  EXPECT_EQ(plan.token_budget, 1'000);
}

}  // namespace
}  // namespace byteformer::plan
