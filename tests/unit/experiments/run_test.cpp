// Which runs there are, in which order, and what they ask for.
#include "experiments/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_book.hpp"

namespace byteformer::experiments {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> names(const std::vector<Run>& runs) {
  std::vector<std::string> result;
  for (const Run& run : runs) result.push_back(to_string(run));
  return result;
}

TEST(RunTest, FirstSeedsComeFirst) {
  const RecipeBook book = example_book();
  const std::vector<const Recipe*> recipes = {&book.at("plain"), &book.at("noisy")};
  EXPECT_THAT(names(schedule(book, recipes, Scale::kSmall, {}, {})),
              ElementsAre("plain, seed 0", "noisy, seed 0", "plain, seed 3"));
  EXPECT_THAT(names(schedule(book, recipes, Scale::kSmall, 1, {})), ElementsAre("plain, seed 0", "noisy, seed 0"));
  EXPECT_THAT(names(schedule(book, recipes, Scale::kPaper, {}, {})), ElementsAre("plain, seed 0", "noisy, seed 0"));
}

TEST(RunTest, WhatIsRekeyedComesBefore) {
  const RecipeBook book = example_book();
  EXPECT_THAT(names(schedule(book, {&book.at("keyed")}, Scale::kSmall, {}, {})),
              ElementsAre("plain, seed 3", "keyed, seed 3"));
  EXPECT_THAT(names(schedule(book, {&book.at("keyed"), &book.at("plain")}, Scale::kSmall, {}, {})),
              ElementsAre("plain, seed 3", "keyed, seed 3", "plain, seed 0"));
}

TEST(RunTest, CommandsNameDataAndSeed) {
  const RecipeBook book = example_book();
  EXPECT_EQ(
      training_command(book, {&book.at("plain"), Scale::kSmall, 3, {}}, {}),
      "byteformer train --data data/mnist28_png --output experiments/small/plain/seed-3 --preset nano --kernel 32 "
      "--encode fhwc --epochs 2 --seed 3 --learning-rate 0.002 --initialisation released --optimizer adamw");
  EXPECT_THAT(training_command(book, {&book.at("noisy"), Scale::kSmall, 0, {}}, {}),
              HasSubstr(R"(--transforms '[ { "type": "random_uniform")"));
  EXPECT_THAT(training_command(book, {&book.at("keyed"), Scale::kSmall, 3, {}}, {}),
              HasSubstr("obfuscate rekey experiments/small/plain/seed-3"));
}

TEST(RunTest, StepsTakeThePlaceOfEpochs) {
  const RecipeBook book = example_book();
  const plan::Request request = training_request({&book.at("plain"), Scale::kSmall, 0, 7}, {});
  EXPECT_EQ(request.steps, 7);
  EXPECT_FALSE(request.epochs);
}

TEST(RunTest, FingerprintsChangeWithSettingsAndNothingElse) {
  const RecipeBook book = example_book();
  const ExampleFolder folder;
  folder.write("plain.yaml", std::string(kPlain) + "# a comment\n");
  const experiments::Run run{&book.at("plain"), Scale::kSmall, 0, {}};
  const RecipeBook commented = read_recipes(folder.path());
  EXPECT_EQ(fingerprint(book, run), fingerprint(commented, {&commented.at("plain"), Scale::kSmall, 0, {}}));
  EXPECT_EQ(fingerprint(book, run).size(), 16U);
  folder.write("shared/settings.yaml",
               std::string(kSettings).replace(std::string(kSettings).find("0.002"), 5, "0.003"));
  const RecipeBook faster = read_recipes(folder.path());
  EXPECT_NE(fingerprint(book, run), fingerprint(faster, {&faster.at("plain"), Scale::kSmall, 0, {}}));
  EXPECT_NE(fingerprint(book, {&book.at("keyed"), Scale::kSmall, 3, {}}),
            fingerprint(faster, {&faster.at("keyed"), Scale::kSmall, 3, {}}))
      << "a rekeyed model is another one where its plain model is";
  EXPECT_NE(fingerprint(book, run), fingerprint(book, {&book.at("plain"), Scale::kSmall, 3, {}}));
  EXPECT_NE(fingerprint(book, run), fingerprint(book, {&book.at("plain"), Scale::kSmall, 0, 2}));
  EXPECT_THAT(settings_json(book, run), Not(HasSubstr("data/")));
}

TEST(RunTest, PlacesOfScalesDiffer) {
  const RecipeBook book = example_book();
  const experiments::Run small{&book.at("plain"), Scale::kSmall, 3, {}}, paper{&book.at("plain"), Scale::kPaper, 3, {}};
  EXPECT_EQ(log_path(small, {}), "docs/results/runs/plain/seed-3.json");
  EXPECT_EQ(log_path(paper, {}), "docs/results/runs/plain/paper-seed-3.json");
  EXPECT_EQ(model_dir(small, {}), "experiments/small/plain/seed-3");
  EXPECT_EQ(model_dir(paper, {}), "experiments/paper/plain/seed-3");
}

}  // namespace
}  // namespace byteformer::experiments
