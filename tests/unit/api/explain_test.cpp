// Explanations through the public API: windows, heat, removals, errors.
#include "byteformer/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "format/model_folder.hpp"
#include "support/random_model.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer {
namespace {

using test::Random;
using ::testing::HasSubstr;

format::ModelConfig config_of(int num_labels) {
  format::ModelConfig config;
  config.hidden_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 40;
  config.conv_kernel_size = 8;
  config.max_position_embeddings = 3000;
  config.window_sizes = {16, 8};
  config.window_shifts = {0, 3};
  config.downsample = {true, false};
  config.num_labels = num_labels;
  for (int i = 0; i < num_labels; ++i) config.labels.push_back(std::string(1, static_cast<char>('a' + i)));
  config.temperature = 2.0;
  return config;
}

class ExplainTest : public ::testing::Test {
 protected:
  Classifier load(int num_labels = 4, int num_threads = 2) const {
    Random random(1);
    const auto config = config_of(num_labels);
    const auto path = folder_.path() / std::to_string(num_labels);
    if (!std::filesystem::exists(path))
      format::write_model_folder(path, config, test::random_tensors(config, random)->by_name);
    return Classifier::load(path, {.num_threads = num_threads, .masking = {}});
  }

  template <typename Action>
  static void expect_error(ErrorCode code, const std::string& message, const Action& action) {
    try {
      action();
      ADD_FAILURE() << "no error: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }

  test::TemporaryFolder folder_;
  Random random_{2};
};

TEST_F(ExplainTest, AFilledRemovalIsAFileWithOtherBytes) {
  const Classifier classifier = load();
  auto file = test::random_file(random_, 300);
  const Occluder occluder(classifier, file);
  EXPECT_EQ(occluder.output().logits, classifier.classify(file).logits);
  const std::vector<Removal> removals{{{10, 20}, {15, 40}, {250, 300}}, {}, {{0, 300}}};
  const auto outputs = occluder.without(removals, {.fill = std::uint8_t{7}});
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(outputs[1].output.logits, occluder.output().logits);
  EXPECT_EQ(outputs[1].num_rows, 0U);
  EXPECT_EQ(outputs[2].num_rows, occluder.num_rows());
  std::fill(file.begin() + 10, file.begin() + 40, std::uint8_t{7});
  std::fill(file.begin() + 250, file.end(), std::uint8_t{7});
  const Output expected = classifier.classify(file);
  EXPECT_EQ(outputs[0].output.logits, expected.logits);
  EXPECT_EQ(outputs[0].output.features, expected.features);
  EXPECT_EQ(outputs[0].output.num_bytes, 300U);
  EXPECT_EQ(outputs[0].output.num_tokens, expected.num_tokens);
}

TEST_F(ExplainTest, ThreadsChangeNothing) {
  const auto file = test::random_file(random_, 500);
  const auto one = explain(Occluder(load(4, 1), file));
  const auto three = explain(Occluder(load(4, 3), file));
  EXPECT_EQ(one->heat, three->heat);
  EXPECT_EQ(one->num_rows, three->num_rows);
}

TEST_F(ExplainTest, HeatIsTheMeanFallOfTheWindowsThatHoldAByte) {
  const Classifier classifier = load();
  const auto file = test::random_file(random_, 101);
  const Occluder occluder(classifier, file);
  const auto explanation = explain(occluder, {.label = 2, .span = 10, .step = 4});
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->label, 2);
  EXPECT_EQ(explanation->windows.front(), (ByteRange{0, 10}));
  EXPECT_EQ(explanation->windows.back(), (ByteRange{92, 101}));
  EXPECT_EQ(explanation->value, classifier.log_odds(occluder.output(), 2));
  ASSERT_EQ(explanation->falls.size(), explanation->windows.size());
  for (std::uint64_t byte = 0; byte < file.size(); ++byte) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < explanation->windows.size(); ++i) {
      const ByteRange window = explanation->windows[i];
      if (byte < window.begin || byte >= window.end) continue;
      const auto without = occluder.without(std::vector<Removal>{{window}});
      sum += explanation->value - classifier.log_odds(without[0].output, 2);
      ++count;
    }
    ASSERT_GT(count, 0);
    EXPECT_FLOAT_EQ(explanation->heat[byte], static_cast<float>(sum / count)) << byte;
  }
}

TEST_F(ExplainTest, ChoosesSpanAndStepForModelAndFile) {
  const Classifier classifier = load();
  const auto explained = [&](std::size_t num_bytes, const ExplainOptions& options = {}) {
    return *explain(Occluder(classifier, test::random_file(random_, num_bytes)), options);
  };
  EXPECT_EQ(explained(500).span, 8U);  // the kernel
  EXPECT_EQ(explained(500).step, 2U);
  EXPECT_EQ(explained(5).span, 5U);
  EXPECT_EQ(explained(1).step, 1U);
  EXPECT_EQ(explained(500, {.span = 20}).step, 5U);
  EXPECT_EQ(explained(500, {.span = 1}).step, 1U);
  EXPECT_EQ(explained(500, {.step = 30}).span, 120U);
  const Explanation long_file = explained(10'000);
  EXPECT_LE(long_file.windows.size(), 1024U);
  EXPECT_EQ(long_file.span, 4 * long_file.step);
  EXPECT_EQ(long_file.windows.back().end, 10'000U);
}

TEST_F(ExplainTest, LogOddsGoWithTheScore) {
  const Classifier classifier = load();
  const Output output = classifier.classify(test::random_file(random_, 300));
  const std::vector<float> scores = classifier.scores(output);
  for (int label = 0; label < 4; ++label) {
    const auto score = static_cast<double>(scores[static_cast<std::size_t>(label)]);
    EXPECT_NEAR(classifier.log_odds(output, label), std::log(score / (1 - score)), 1e-5);
    EXPECT_EQ(value_of(classifier, output, label, Quantity::kLogit),
              static_cast<double>(output.logits[static_cast<std::size_t>(label)]));
  }
  Output sure;
  sure.logits = {5000.0f, 0.0f, 0.0f, 0.0f};
  EXPECT_NEAR(classifier.log_odds(sure, 0), 2500 - std::log(3.0), 1e-9);  // whose score is 1
}

TEST_F(ExplainTest, StopsWhenTold) {
  const Occluder occluder(load(), test::random_file(random_, 500));
  std::vector<std::size_t> seen;
  ExplainOptions options;
  options.removal.keep_going = [&](std::size_t num_done, std::size_t total) {
    EXPECT_EQ(total, 247U);
    seen.push_back(num_done);
    return seen.size() < 2;
  };
  EXPECT_FALSE(explain(occluder, options));
  EXPECT_EQ(seen, (std::vector<std::size_t>{8, 16}));
}

TEST_F(ExplainTest, NamesWhatMakesNoSense) {
  const Classifier classifier = load();
  const auto file = test::random_file(random_, 100);
  const Occluder occluder(classifier, file);
  const auto asked = [&](const ExplainOptions& options) { return [&, options] { explain(occluder, options); }; };
  expect_error(ErrorCode::kInvalidArgument, "there is no class 4", asked({.label = 4}));
  expect_error(ErrorCode::kInvalidArgument, "there is no class -1", asked({.label = -1}));
  expect_error(ErrorCode::kInvalidArgument, "span is 101 bytes, but the file has 100", asked({.span = 101}));
  expect_error(ErrorCode::kInvalidArgument, "step is 9 bytes", asked({.span = 8, .step = 9}));
  const std::vector<Removal> outside{{{90, 101}}}, backwards{{{5, 4}}};
  expect_error(ErrorCode::kInvalidArgument, "90 to 101 do not lie", [&] { occluder.without(outside); });
  expect_error(ErrorCode::kInvalidArgument, "5 to 4 do not lie", [&] { occluder.without(backwards); });
  expect_error(ErrorCode::kEmptyFile, "empty", [&] { Occluder(classifier, Bytes()); });
  expect_error(ErrorCode::kTooManyTokens, "3001 tokens",
               [&] { Occluder(classifier, test::random_file(random_, 12'001)); });
}

TEST_F(ExplainTest, OfTheOnlyClassOnlyTheLogitSaysSomething) {
  const Occluder occluder(load(1), test::random_file(random_, 100));
  expect_error(ErrorCode::kUnsupported, "one class", [&] { explain(occluder); });
  EXPECT_EQ(explain(occluder, {.quantity = Quantity::kLogit})->heat.size(), 100U);
}

}  // namespace
}  // namespace byteformer
