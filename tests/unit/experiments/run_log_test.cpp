// A log says after reading what it said before writing.
#include <gtest/gtest.h>

#include "example_log.hpp"
#include "experiments/run.hpp"
#include "support/errors.hpp"

namespace byteformer::experiments {
namespace {

TEST(RunLogTest, ReadsWhatItWrote) {
  const RunLog log = example_log("plain", 3, 0.9375);
  const RunLog read = parse_run_log(to_json(log), "seed-3.json");
  EXPECT_EQ(to_json(read), to_json(log));
  EXPECT_EQ(read.seed, 3);
  EXPECT_EQ(read.tests.at(0).top1, 0.9375);
  EXPECT_EQ(read.training.value().history.size(), 2U);
  EXPECT_FALSE(read.rekeying);
}

TEST(RunLogTest, RekeyedModelsHaveNoTraining) {
  RunLog log = example_log("keyed", 3, 0.5);
  log.training.reset();
  log.rekeying = RekeyingLog{"plain", 100, true};
  const RunLog read = parse_run_log(to_json(log), "seed-3.json");
  EXPECT_FALSE(read.training);
  ASSERT_TRUE(read.rekeying);
  EXPECT_EQ(read.rekeying->of, "plain");
  EXPECT_EQ(read.rekeying->files, 100);
  EXPECT_TRUE(read.rekeying->is_bit_identical);
}

TEST(RunLogTest, DamageIsNamed) {
  std::string text = to_json(example_log("plain", 0, 0.5));
  text.replace(text.find("\"fingerprint\""), 13, "\"fingreprint\"");
  test::expect_error(ErrorCode::kInvalidFormat, {"seed-0.json: is no log of a run", "fingerprint"},
                     [&] { parse_run_log(text, "seed-0.json"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"seed-0.json"}, [] { parse_run_log("[]", "seed-0.json"); });
  test::expect_error(ErrorCode::kUnsupported, {"format is 2"}, [] { parse_run_log(R"({"format": 2})", "x"); });
}

TEST(RunLogTest, ThinningKeepsTheEnds) {
  std::vector<plan::ValidationResult> history(100);
  for (std::int64_t i = 0; i < 100; ++i) history[static_cast<std::size_t>(i)].step = i;
  const std::vector<plan::ValidationResult> few = thinned(history, 5);
  ASSERT_EQ(few.size(), 5U);
  EXPECT_EQ(few.front().step, 0);
  EXPECT_EQ(few[2].step, 49);
  EXPECT_EQ(few.back().step, 99);
  EXPECT_EQ(thinned(few, 5).size(), 5U);
}

TEST(RunLogTest, NothingIsThereUntilItIsWritten) {
  const RecipeBook book = example_book();
  const test::TemporaryFolder folder;
  Places places;
  places.results = folder / "results";
  const experiments::Run run{&book.at("plain"), Scale::kSmall, 3, {}};
  EXPECT_FALSE(find_log(run, places));
  write_log(run, example_log("plain", 3, 0.5), places);
  EXPECT_EQ(find_log(run, places).value().experiment, "plain");
}

}  // namespace
}  // namespace byteformer::experiments
