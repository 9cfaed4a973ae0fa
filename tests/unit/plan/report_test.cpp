// The model card and the report: what they must say, and that names from outside stay text.
#include "plan/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace byteformer::plan {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RunSummaryTest : public ::testing::Test {
 protected:
  RunSummaryTest() {
    plan_.config.labels = {"cat", "<script>"};
    plan_.config.num_labels = 2;
    plan_.config.window_sizes = {128};
    plan_.command = "byteformer train --data 'a & b'";
    plan_.reasons = {"looked at 2 files"};
    plan_.schedule.total_steps = 20;
    plan_.schedule.steps_per_epoch = 10;
    data_.classes = plan_.config.labels;
    data_.train = {{"a/x", 0, {}}, {"b/y", 1, {}}};
    data_.validation = {{"a/easy", 0, {}}, {"a/hard", 0, {}}};
    data_.split_by = "file";
    history_ = {{10, 1.5, 1.25, 0.5, 1, 1e-3, 60}, {20, 1, 0.75, 0.5, 1, 1e-5, 120}};
  }

  RunSummary summary() const {
    data::Answers answers;
    answers.num_classes = 2;
    answers.add(std::vector<float>{4, 0}, 0);
    answers.add(std::vector<float>{0, 2}, 0);
    return {plan_, data_, history_, failures_, 20, 120, 1, answers, {0, 1}};
  }

  TrainingPlan plan_;
  data::DataSet data_;
  std::vector<ValidationResult> history_;
  std::vector<std::string> failures_;
};

TEST_F(RunSummaryTest, TheCardGivesNumbersAndTheCommand) {
  const std::string card = model_card(summary());
  EXPECT_THAT(card, HasSubstr("| top-1 | loss | calibration error |\n|---|---|---|\n| 50.00 % | 1.0725 |"));
  EXPECT_THAT(card, HasSubstr("byteformer train --data 'a & b'"));
  EXPECT_THAT(card, HasSubstr("2 validation files held out by file"));
}

TEST_F(RunSummaryTest, WithoutValidationFilesNoAccuracyIsClaimed) {
  RunSummary s = summary();
  s.validation = {.num_classes = 2, .logits = {}, .labels = {}};
  s.validation_samples = {};
  EXPECT_THAT(model_card(s), AllOf(HasSubstr("no files were held out"), Not(HasSubstr("0.00 %"))));
  EXPECT_THAT(html_report(s), AllOf(HasSubstr("<b>no</b>validation files"), Not(HasSubstr("top-1 on"))));
}

TEST_F(RunSummaryTest, AdviceNamesTheBudgetThatWasAskedFor) {
  EXPECT_THAT(guessing_text(plan_), HasSubstr("a longer --time"));
  plan_.asked.steps = 10;
  EXPECT_THAT(guessing_text(plan_), AllOf(HasSubstr("more --steps"), Not(HasSubstr("--time"))));
}

TEST_F(RunSummaryTest, NamesOfClassesCannotBreakTheTablesOfTheCard) {
  plan_.config.labels = {"a\nb|<i>", "c"};
  const std::string card = model_card(summary());
  EXPECT_THAT(card, HasSubstr("| classes | a\\x0ab\\|\\<i>, c |"));
  EXPECT_THAT(card, HasSubstr("| a\\x0ab\\|\\<i> | 2 |"));
}

TEST_F(RunSummaryTest, ClassesWithoutFilesHaveNoRecall) {
  EXPECT_THAT(model_card(summary()), HasSubstr("| 0 | - | 0.0 % |\n"));
}

TEST_F(RunSummaryTest, TheReportShowsTheHardestFileFirst) {
  const std::string html = html_report(summary());
  EXPECT_LT(html.find("a/hard"), html.find("a/easy"));
  EXPECT_THAT(html, HasSubstr("50.00 %"));
  EXPECT_THAT(html, HasSubstr("<polyline"));
}

TEST_F(RunSummaryTest, NamesFromOutsideStayText) {
  failures_ = {"<img src=x onerror=alert(1)>: damaged"};
  const std::string html = html_report(summary());
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, Not(HasSubstr("<img src=x")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("a &amp; b"));
}

TEST_F(RunSummaryTest, NamesThatAreNotUtf8AreEscaped) {
  failures_ = {"caf\xe9.png: damaged"};
  plan_.reasons = {"starts from caf\xe9"};
  EXPECT_THAT(html_report(summary()), HasSubstr("caf\\xe9.png: damaged"));
  EXPECT_TRUE(base::is_utf8(html_report(summary())));
  EXPECT_TRUE(base::is_utf8(model_card(summary())));
}

TEST_F(RunSummaryTest, ARunWithoutEvaluationsHasAReport) {
  history_.clear();
  EXPECT_THAT(html_report(summary()), HasSubstr("before its first evaluation"));
}

}  // namespace
}  // namespace byteformer::plan
