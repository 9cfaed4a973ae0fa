// What people see of an evaluation with more classes than a matrix can show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "evaluation/evaluation.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Every class has two files, of which class 0 gets none right and class 1 one.
std::string text_of(std::size_t num_classes) {
  std::ostringstream out, err;
  const Console console{.in = nullptr, .out = out, .err = err};
  data::Answers answers{.num_classes = num_classes, .logits = {}, .labels = {}};
  Evaluation evaluation{.model = "m", .data = "d", .split = "test", .labels = {}, .metrics = {}, .failures = {}};
  for (std::size_t c = 0; c < num_classes; ++c) {
    evaluation.labels.push_back("label_" + std::to_string(c));
    for (std::size_t i = 0; i < 2; ++i) {
      std::vector<float> logits(num_classes);
      logits[c + i < 2 ? num_classes - 1 - c : c] = 1;
      answers.add(logits, static_cast<int>(c));
    }
  }
  evaluation.metrics = data::measure(answers);
  return evaluation_text(evaluation, console);
}

TEST(EvaluationText, ShowsMatricesWithNumbersWhereLabelsAreTooLong) {
  const std::string text = text_of(20);
  EXPECT_THAT(text, HasSubstr("92.5 %  37 of 40 files of the test set\n"));
  EXPECT_THAT(text, HasSubstr("truth \\ answer no.  0  1  2"));
  EXPECT_THAT(text, HasSubstr(" 0 label_0          .  .  ."));
  EXPECT_THAT(text, Not(HasSubstr("most confused")));
}

TEST(EvaluationText, ShowsTheMostConfusedPairsOfManyClasses) {
  const std::string text = text_of(21);
  EXPECT_THAT(text, HasSubstr("most confused  taken for  files  of the class\n"
                              "label_0        label_20       2       100.0 %\n"
                              "label_1        label_19       1        50.0 %\n"));
  EXPECT_THAT(text, Not(HasSubstr("truth")));
}

TEST(EvaluationText, ShowsTheWorstOfVeryManyClasses) {
  const std::string text = text_of(300);
  EXPECT_THAT(text, HasSubstr("the 100 of 300 classes with the lowest recall"));
  EXPECT_LT(text.find("label_0 "), text.find("label_1 "));
  EXPECT_THAT(text, Not(HasSubstr("\nlabel_200 ")));
}

}  // namespace
}  // namespace byteformer::cli
