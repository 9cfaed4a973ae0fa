// The recipes of the repository: all are valid, and at the paper's scale they ask for what the published runs do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "experiments/recipe_book.hpp"
#include "experiments/run.hpp"
#include "plan/planner.hpp"
#include "plan/published_plan.hpp"
#include "support/files.hpp"

namespace byteformer::experiments {
namespace {

const RecipeBook& book() {
  static const RecipeBook recipes = read_recipes(test::data_path("../../recipes"));
  return recipes;
}

data::DataSet data_set(std::size_t num_classes) {
  data::DataSet data;
  for (std::size_t i = 0; i < num_classes; ++i) data.classes.push_back(std::to_string(i));
  for (int i = 0; i < 4'000; ++i)
    data.train.push_back({"f" + std::to_string(i), i % static_cast<int>(num_classes), {}});
  data.background.emplace_back("noise.wav");
  return data;
}

data::Survey photos() {
  data::Survey survey;
  survey.num_looked_at = survey.num_images = survey.kinds["jpeg"] = 2;
  survey.bytes = {90'000, 110'000};
  survey.widths = {500, 500}, survey.heights = {375, 400}, survey.shorter_sides = {375, 400};
  survey.all_images_equal = false;
  return survey;
}

data::Survey sounds() {
  data::Survey survey;
  survey.num_looked_at = survey.num_sounds = survey.kinds["wav"] = 2;
  survey.bytes = {20'000, 32'044};
  survey.durations_s = {0.6, 1.0};
  survey.sample_rates = {16'000, 16'000};
  return survey;
}

/// What a plan computes: not its words, nor where its data are.
plan::TrainingPlan essence(plan::TrainingPlan plan) {
  plan.data.clear();
  plan.data_set.clear();
  plan.data_fingerprint.clear();
  plan.asked = {};
  plan.command.clear();
  plan.reasons.clear();
  return plan;
}

plan::TrainingPlan plan_of(const plan::Request& request, const data::DataSet& data, const data::Survey& survey) {
  plan::TrainingPlan plan = plan::choose_plan(request, data, survey, {});
  plan::choose_schedule(
      request, data.train.size(), [] { return ADD_FAILURE() << "budgets are never times", 1.0; }, plan);
  return plan;
}

TEST(RecipesTest, EveryPublishedRunHasOne) {
  int num_runs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::data_path("published"))) {
    EXPECT_NO_THROW(book().at(entry.path().stem().string())) << entry.path();
    ++num_runs;
  }
  EXPECT_EQ(num_runs, 45);
  EXPECT_NO_THROW(book().at("joint"));
}

TEST(RecipesTest, AtThePapersScaleTheyArePublishedRuns) {
  const data::DataSet pictures = data_set(10), words = data_set(12);
  const data::Survey of_pictures = photos(), of_words = sounds();
  for (const auto& entry : std::filesystem::directory_iterator(test::data_path("published"))) {
    SCOPED_TRACE(entry.path().stem().string());
    const Recipe& recipe = book().at(entry.path().stem().string());
    const bool is_sound = recipe.paper.data->kind == MediaKind::kSounds;
    const data::DataSet& data = is_sound ? words : pictures;
    plan::Request request = training_request({&recipe, Scale::kPaper, 0, {}}, {});
    plan::Request published;
    published.config = entry.path().string();
    published.seed = 0;
    // The test data accumulate over two passes for sounds, too; the published effective batch is 48 on each of 4 GPUs.
    if (is_sound) published.batch_size = 192;
    const plan::PublishedRun run = plan::read_published_run(*published.config);
    EXPECT_EQ(to_json(essence(plan_of(request, data, is_sound ? of_words : of_pictures))),
              to_json(essence(plan::choose_published_plan(published, run, &data, {}))));
  }
}

TEST(RecipesTest, SmallBudgetsAreSteps) {
  for (const Recipe& recipe : book().recipes) {
    SCOPED_TRACE(recipe.name);
    EXPECT_TRUE(recipe.small.train.epochs || recipe.small.train.steps || !recipe.small.rekeys.empty());
    EXPECT_FALSE(recipe.small.train.time_s);
    EXPECT_NE(recipe.small.data->name, "imagenet");
  }
}

TEST(RecipesTest, WhatTheSmallScaleMustShowHasThreeSeeds) {
  for (const char* name : {"image_tiff",           "image_png",
                           "image_fhwc",           "image_fchw",
                           "order_reverse",        "order_cyclic_half_length",
                           "order_stride",         "order_window_shuffle",
                           "order_random_shuffle", "obfuscation_0",
                           "obfuscation_5",        "obfuscation_10",
                           "obfuscation_20",       "camera_0.05_k4",
                           "camera_0.1_k4",        "camera_0.25_k8",
                           "wav_float32_k32",      "wav_int32_k32",
                           "wav_int16_k16",        "wav_uint8_k8",
                           "mp3_k4_w32",           "joint"})
    EXPECT_GE(book().at(name).small.seeds.size(), 3U) << name;
}

/// Figures that are not confirmed are never quoted.
TEST(RecipesTest, OnlyConfirmedFiguresAreQuoted) {
  const std::map<std::string, double> confirmed = {
      {"image_tiff", 77.33},          {"jpeg_q100_k8", 67.64},   {"jpeg_q60_k4_w128", 62.43}, {"order_reverse", 61.14},
      {"order_random_shuffle", 3.06}, {"obfuscation_20", 76.00}, {"camera_0.1_k4", 71.35},    {"camera_0.05_k4", 68.10},
      {"wav_float32_k32", 94.95},     {"mp3_k4_w32", 90.25}};
  std::map<std::string, double> quoted;
  for (const Recipe& recipe : book().recipes)
    if (recipe.figure) quoted[recipe.name] = recipe.figure->top1;
  EXPECT_EQ(quoted, confirmed);
}

}  // namespace
}  // namespace byteformer::experiments
