// The models that ship answer the example files rightly, which no model was trained on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "exit_status.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

std::string in_repository(const std::string& name) { return test::data_path("../../" + name).native(); }

struct Example {
  const char* model;
  const char* file;
  const char* label;
};

class ShippedModelsTest : public testing::TestWithParam<Example> {};

TEST_P(ShippedModelsTest, AnswersItsExampleRightly) {
  const Outcome outcome = run_program({"classify", "--model", in_repository(std::string("models/") + GetParam().model),
                                       "--jsonl", in_repository(std::string("examples/data/") + GetParam().file)});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  const nlohmann::json best = nlohmann::json::parse(outcome.out)["predictions"][0];
  EXPECT_EQ(best["label"], GetParam().label);
  EXPECT_GT(best["score"].get<double>(), 0.5);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, ShippedModelsTest,
    testing::Values(Example{"spoken-digits", "spoken_3.wav", "3"}, Example{"spoken-digits", "spoken_7.wav", "7"},
                    Example{"mnist", "handwritten_3.png", "3"}, Example{"mnist", "handwritten_7.png", "7"},
                    Example{"cifar10", "airplane.jpg", "airplane"}, Example{"cifar10", "frog.jpg", "frog"},
                    Example{"digits-joint", "spoken_7.wav", "7"}, Example{"digits-joint", "handwritten_3.png", "3"}),
    [](const auto& example) {
      std::string name = std::string(example.param.model) + "_" + example.param.label;
      std::ranges::replace(name, '-', '_');
      return name;
    });

}  // namespace
}  // namespace byteformer::cli
