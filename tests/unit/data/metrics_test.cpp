// Accuracy, confusion, calibration and temperature, on answers whose numbers are known.
#include "data/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace byteformer::data {
namespace {

Answers answers(std::size_t classes, std::initializer_list<std::pair<std::vector<float>, int>> files) {
  Answers a;
  a.num_classes = classes;
  for (const auto& [logits, label] : files) a.add(logits, label);
  return a;
}

TEST(MetricsTest, CountsWhatIsRight) {
  const Answers a = answers(3, {{{2, 1, 0}, 0}, {{0, 1, 2}, 1}, {{0, 3, 1}, 1}, {{5, 0, 0}, 2}});
  const Metrics m = measure(a);
  EXPECT_EQ(m.samples, 4);
  EXPECT_DOUBLE_EQ(m.top1, 0.5);
  EXPECT_DOUBLE_EQ(m.top5, 1);
  EXPECT_EQ(m.confusion, (std::vector<std::vector<std::int64_t>>{{1, 0, 0}, {0, 1, 1}, {1, 0, 0}}));
  EXPECT_EQ(m.per_class[1].recall, 0.5);
  EXPECT_EQ(m.per_class[0].precision, 0.5);
  EXPECT_EQ(m.per_class[2].recall, 0);
}

TEST(MetricsTest, TopFiveLooksAtFive) {
  const Answers a = answers(7, {{{6, 5, 4, 3, 2, 1, 0}, 4}, {{6, 5, 4, 3, 2, 1, 0}, 5}});
  EXPECT_DOUBLE_EQ(measure(a).top5, 0.5);
}

TEST(MetricsTest, LossIsTheMeanCrossEntropy) {
  const Answers a = answers(2, {{{0, 0}, 0}, {{std::log(3.0f), 0}, 0}});
  EXPECT_NEAR(measure(a).loss, (std::log(2.0) + std::log(4.0 / 3)) / 2, 1e-6);
}

TEST(MetricsTest, CalibrationErrorIsTheGapBetweenScoreAndAccuracy) {
  // Score 0.75 each; half of them right.
  const float odds = std::log(3.0f);
  const Answers a = answers(2, {{{odds, 0}, 0}, {{odds, 0}, 1}});
  EXPECT_NEAR(measure(a).calibration_error, 0.25, 1e-6);
}

TEST(MetricsTest, TheTemperatureUndoesOverconfidence) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Answers a;
  a.num_classes = 4;
  for (int i = 0; i < 4000; ++i) {
    std::vector<float> logits(4);
    for (float& logit : logits) logit = 2 * normal(random);
    const std::vector<double> truth = softmax(logits);
    std::discrete_distribution<int> draw(truth.begin(), truth.end());
    const int label = draw(random);
    for (float& logit : logits) logit *= 3;  // says so three times too loud
    a.add(logits, label);
  }
  EXPECT_NEAR(fit_temperature(a), 3, 0.2);
  EXPECT_LT(measure(a, fit_temperature(a)).calibration_error, 0.03);
  EXPECT_GT(measure(a).calibration_error, 0.1);
}

TEST(MetricsTest, NoAnswersAreNoReasonToFail) {
  Answers a;
  a.num_classes = 3;
  EXPECT_EQ(measure(a).samples, 0);
  EXPECT_EQ(fit_temperature(a), 1);
}

TEST(OnlyGuessesTest, TellsKnowledgeFromTheFrequenciesOfClasses) {
  Answers prior{.num_classes = 2, .logits = {}, .labels = {}}, knowing = prior, unlucky = prior;
  for (int i = 0; i < 100; ++i) {
    const int label = i % 4 == 0 ? 0 : 1;
    prior.add(std::vector{std::log(0.25F), std::log(0.75F)}, label);
    knowing.add(std::vector{label == 0 ? 0.3F : -0.3F, 0.0F}, label);
    unlucky.add(std::vector{label == 0 ? 0.0F : -4.0F, 0.1F}, i % 2);
  }
  EXPECT_TRUE(only_guesses(measure(prior)));
  EXPECT_FALSE(only_guesses(measure(knowing)));  // a large loss, but right answers
  EXPECT_TRUE(only_guesses(measure(unlucky)));
  EXPECT_FALSE(only_guesses(Metrics{}));
}

}  // namespace
}  // namespace byteformer::data
