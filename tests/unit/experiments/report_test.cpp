// The page holds every number that the logs hold, and none that they do not.
#include "experiments/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "example_log.hpp"
#include "support/errors.hpp"

namespace byteformer::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReportTest : public testing::Test {
 protected:
  void add(const char* name, std::int64_t seed, double top1) {
    write_example(book_, {&book_.at(name), Scale::kSmall, seed, {}}, top1, places_);
  }

  void add_note(const std::string& text) {
    std::filesystem::create_directories(places_.results / "notes");
    test::write_file(places_.results / "notes" / "obfuscation.md", text);
  }

  std::string page() {
    write_report(book_, places_);
    return test::read_file(page_path(places_));
  }

  RecipeBook book_ = example_book();
  test::TemporaryFolder folder_;
  Places places_{"data", "experiments", folder_ / "results"};
};

TEST_F(ReportTest, BeforeTheFirstRun) {
  EXPECT_EQ(page_path(places_), folder_ / "results.md");
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("Nothing has been run yet."));
  EXPECT_THAT(text, HasSubstr("Not run yet: plain bytes."));
  EXPECT_THAT(text, Not(HasSubstr(".svg")));
}

TEST_F(ReportTest, ALineAnExperiment) {
  add("plain", 0, 0.96), add("plain", 3, 0.98), add("noisy", 0, 0.5);
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("| plain bytes | 97.00 ± 1.41 | 2 | 10,000 | 1:01 min | 77.33; so it is |"));
  EXPECT_THAT(text, HasSubstr("| noise | 50.00 | 1 | 10,000 |"));
  EXPECT_THAT(text, HasSubstr("Not run yet: permuted."));
  EXPECT_THAT(text, HasSubstr("3 runs so far"));
  EXPECT_THAT(text, HasSubstr("a machine, 2 threads; byteformer 1.2.3"));
  EXPECT_THAT(text, HasSubstr("![Obfuscation](results/obfuscation.svg)"));
  EXPECT_THAT(test::read_file(places_.results / "obfuscation.svg"), HasSubstr("plain bytes")) << "the baseline";
  EXPECT_THAT(test::read_file(places_.results / "obfuscation-curves.svg"), HasSubstr("noise"));
}

TEST_F(ReportTest, RekeyedModelsSayWhetherTheirLogitsAreTheSame) {
  const experiments::Run run{&book_.at("keyed"), Scale::kSmall, 3, {}};
  RunLog log = example_log("keyed", 3, 0.98);
  log.training.reset();
  log.rekeying = RekeyingLog{"plain", 10'000, true};
  write_log(run, log, places_);
  EXPECT_THAT(page(), HasSubstr("logits bit for bit those of the plain models"));
  log.rekeying->is_bit_identical = false;
  write_log(run, log, places_);
  EXPECT_THAT(page(), HasSubstr("**logits differ**"));
}

TEST_F(ReportTest, NotesGetTheirNumbersFromTheLogs) {
  add("plain", 0, 0.96), add("plain", 3, 0.98);
  add_note("Noise: {noisy}, without {plain}.\n");
  EXPECT_THAT(page(), HasSubstr("Noise: (not run), without 97.0 %."));
  add_note("Noise: {nosy}.\n");
  test::expect_error(ErrorCode::kInvalidFormat, {"obfuscation.md", "{nosy} is no experiment"}, [&] { page(); });
}

TEST_F(ReportTest, ThePapersScaleHasATableOfItsOwn) {
  const experiments::Run run{&book_.at("plain"), Scale::kPaper, 0, {}};
  EXPECT_THAT(page(), Not(HasSubstr("At the paper's scale:")));
  write_example(book_, run, 0.7705, places_);
  EXPECT_THAT(page(), HasSubstr("At the paper's scale:\n\n| the model reads"));
  EXPECT_THAT(page(), HasSubstr("| plain bytes | 77.05 |"));
}

}  // namespace
}  // namespace byteformer::experiments
