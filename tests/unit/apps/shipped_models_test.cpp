// The models that ship answer the example files rightly, which no model was trained on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>

#include "byteformer/precision.hpp"
#include "exit_status.hpp"
#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

struct Example {
  const char* model;
  const char* file;
  const char* label;
};

/// An example and a precision.
class ShippedModelsTest : public testing::TestWithParam<std::tuple<Example, Precision>> {};

/// Whether this machine computes faster in `precision` than in float32.
bool is_available(Precision precision) {
  if (precision == Precision::kFloat32) return true;
  const auto all = kernels::available_reduced_kernels(kernels::default_kernels());
  return std::ranges::any_of(all, [&](const auto* reduced) { return reduced->precision == precision; });
}

TEST_P(ShippedModelsTest, AnswersItsExampleRightly) {
  const auto& [example, precision] = GetParam();
  const Outcome outcome = run_program({"classify", "--model", in_repository(std::string("models/") + example.model),
                                       "--precision", std::string(to_string(precision)), "--jsonl",
                                       in_repository(std::string("examples/data/") + example.file)});
  if (!is_available(precision)) {
    EXPECT_EQ(outcome.status, kExitFailure) << outcome.err;
    EXPECT_THAT(outcome.err, testing::HasSubstr("Use float32"));
    return;
  }
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  const nlohmann::json predictions = nlohmann::json::parse(outcome.out)["predictions"];
  EXPECT_EQ(predictions[0]["label"], example.label);
  EXPECT_GT(predictions[0]["score"].get<double>(), 2 * predictions[1]["score"].get<double>()) << "no guess";
}

std::string name_of(const testing::TestParamInfo<std::tuple<Example, Precision>>& test) {
  const auto& [example, precision] = test.param;
  std::string name = std::string(example.model) + "_" + example.label + "_" + std::string(to_string(precision));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Examples, ShippedModelsTest,
                         testing::Combine(testing::Values(Example{"spoken-digits", "spoken_3.wav", "3"},
                                                          Example{"spoken-digits", "spoken_7.wav", "7"},
                                                          Example{"mnist", "handwritten_3.png", "3"},
                                                          Example{"mnist", "handwritten_7.png", "7"},
                                                          Example{"cifar10", "airplane.jpg", "airplane"},
                                                          Example{"cifar10", "frog.jpg", "frog"},
                                                          Example{"speech-commands", "command_left.wav", "left"},
                                                          Example{"speech-commands", "command_stop.wav", "stop"},
                                                          Example{"file-types", "frog.jpg", "jpeg"},
                                                          Example{"file-types", "spoken_3.wav", "wav"},
                                                          Example{"digits-joint", "spoken_7.wav", "7"},
                                                          Example{"digits-joint", "handwritten_3.png", "3"}),
                                          testing::Values(Precision::kFloat32, Precision::kBfloat16, Precision::kInt8)),
                         name_of);

}  // namespace
}  // namespace byteformer::cli
