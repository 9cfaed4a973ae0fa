// Means and spreads over seeds.
#include <gtest/gtest.h>

#include "example_log.hpp"
#include "experiments/report.hpp"

namespace byteformer::experiments {
namespace {

TEST(OutcomeTest, MeanAndSampleDeviation) {
  TestOutcome outcome;
  outcome.top1 = {96, 97, 98};
  EXPECT_DOUBLE_EQ(outcome.mean(), 97);
  EXPECT_DOUBLE_EQ(outcome.deviation().value(), 1);
  EXPECT_EQ(outcome.text(), "97.00 ± 1.00");
  outcome.top1 = {96};
  EXPECT_FALSE(outcome.deviation());
  EXPECT_EQ(outcome.text(), "96.00");
}

TEST(OutcomeTest, SeedsAreGathered) {
  const RecipeBook book = example_book();
  const test::TemporaryFolder folder;
  Places places;
  places.results = folder / "results";
  write_example(book, {&book.at("plain"), Scale::kSmall, 0, {}}, 0.96, places);
  write_example(book, {&book.at("plain"), Scale::kSmall, 3, {}}, 0.98, places);
  write_example(book, {&book.at("plain"), Scale::kSmall, 4, {}}, 0.1, places);  // a seed that the recipe does not name
  const LogsByName logs = read_logs(book, Scale::kSmall, places);
  const RecipeLogs& plain = logs.at("plain");
  ASSERT_EQ(plain.outcomes.size(), 1U);
  EXPECT_DOUBLE_EQ(plain.outcomes[0].mean(), 97);
  EXPECT_EQ(plain.outcomes[0].files, 10'000);
  EXPECT_FALSE(plain.outcomes[0].is_outdated);
  EXPECT_EQ(plain.mean_seconds(), 61);
  EXPECT_FALSE(plain.are_bit_identical());
  EXPECT_TRUE(logs.at("noisy").outcomes.empty());
}

TEST(OutcomeTest, OtherSettingsAreMarked) {
  const RecipeBook book = example_book();
  const test::TemporaryFolder folder;
  Places places;
  places.results = folder / "results";
  write_log({&book.at("noisy"), Scale::kSmall, 0, {}}, example_log("noisy", 0, 0.5), places);
  const LogsByName logs = read_logs(book, Scale::kSmall, places);
  EXPECT_TRUE(logs.at("noisy").outcomes.at(0).is_outdated);
  EXPECT_EQ(logs.at("noisy").outcomes.at(0).text(), "50.00 †");
}

}  // namespace
}  // namespace byteformer::experiments
