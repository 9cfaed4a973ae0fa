// The published implementation's gradients, ten optimizer steps and logits, on our own kernels and on LibTorch's
// operators.
#include <gtest/gtest.h>
#include <torch/types.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "format/model_folder.hpp"
#include "format/safetensors.hpp"
#include "interop/checkpoint.hpp"
#include "support/files.hpp"
#include "train/module.hpp"
#include "train/optimizer.hpp"

namespace byteformer::test {
namespace {

struct TrainingCase {
  std::string model;
  Masking masking;
  bool own_kernels;
};

void PrintTo(const TrainingCase& c, std::ostream* out) {
  *out << c.model << ", " << format::to_string(c.masking) << (c.own_kernels ? ", own kernels" : ", LibTorch");
}

std::filesystem::path folder(const std::string& model) {
  return std::filesystem::path(BYTEFORMER_TEST_DATA) / "models" / model;
}

std::vector<TrainingCase> cases(bool with_gradients) {
  std::vector<TrainingCase> list;
  for (const auto& entry : std::filesystem::directory_iterator(folder("")))
    for (const Masking masking : {Masking::kReleased, Masking::kMasked})
      for (const bool own : {true, false})
        if (!with_gradients || exists(entry.path() / "training.json"))
          list.push_back({entry.path().filename().string(), masking, own});
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return std::tie(a.model, a.masking, a.own_kernels) < std::tie(b.model, b.masking, b.own_kernels);
  });
  return list;
}

/// A golden model, and files to run it on.
class GoldenModel {
 public:
  explicit GoldenModel(const TrainingCase& c) : case_(c), module_(make()) {
    module_.parameters().load(interop::read_weights(folder(c.model) / "weights.pt"));
  }

  train::Module& module() { return module_; }
  nlohmann::json json(const char* name) const {
    return nlohmann::json::parse(std::ifstream(folder(case_.model) / name));
  }
  std::string masking() const { return std::string(format::to_string(case_.masking)); }
  std::filesystem::path path(const std::string& name) const { return folder(case_.model) / name; }

  torch::Tensor logits(const std::vector<std::string>& names) {
    files_.clear();
    std::vector<std::span<const std::uint8_t>> spans;
    for (const std::string& name : names) files_.push_back(read_bytes(path(name)));
    for (const auto& file : files_) spans.emplace_back(file);
    return module_.forward(spans);
  }

 private:
  train::Module make() const {
    format::ModelConfig config = format::read_config(folder(case_.model));
    config.masking = case_.masking;
    train::ModuleOptions options;
    options.num_threads = 2;
    options.use_own_kernels = case_.own_kernels;
    return {config, options};
  }

  TrainingCase case_;
  train::Module module_;
  std::vector<std::vector<std::uint8_t>> files_;
};

class LogitsTest : public ::testing::TestWithParam<TrainingCase> {};

TEST_P(LogitsTest, EqualThePublishedOnes) {
  GoldenModel golden(GetParam());
  ASSERT_EQ(golden.module().uses_own_kernels(), GetParam().own_kernels);
  torch::NoGradGuard no_grad;
  int num_compared = 0;
  const nlohmann::json all = golden.json("cases.json");
  for (const auto& c : all["cases"]) {
    if (c[golden.masking()].is_null()) continue;
    const auto expected = c[golden.masking()].get<std::vector<float>>();
    const torch::Tensor wanted = torch::tensor(expected);
    const double error = (golden.logits({c["input"]})[0] - wanted).abs().max().item<double>();
    EXPECT_LT(error, 2e-5 * wanted.abs().max().item<double>()) << c["input"];
    ++num_compared;
  }
  EXPECT_GT(num_compared, 0);
}

INSTANTIATE_TEST_SUITE_P(AllModels, LogitsTest, ::testing::ValuesIn(cases(false)));

class TrainingTest : public ::testing::TestWithParam<TrainingCase> {
 protected:
  torch::Tensor loss(GoldenModel& golden, const nlohmann::json& training) const {
    std::vector<train::Target> targets;
    for (const int label : training["targets"]) targets.push_back({.label = label, .other_label = label});
    return train::cross_entropy_sum(golden.logits(training["inputs"]), targets, 0.1) /
           static_cast<double>(targets.size());
  }
};

TEST_P(TrainingTest, GradientsEqualThePublishedOnes) {
  GoldenModel golden(GetParam());
  loss(golden, golden.json("training.json")).backward();
  const format::Tensors expected =
      format::read_safetensors(golden.path("gradients_" + golden.masking() + ".safetensors"));
  std::size_t num_compared = 0;
  for (const auto& [name, view] : expected.by_name) {
    ASSERT_TRUE(golden.module().parameters().has(name)) << name;
    std::vector<float> numbers = format::to_float32(view, name);
    const torch::Tensor wanted = torch::from_blob(numbers.data(), view.shape);
    const torch::Tensor found = golden.module().parameters()[name].grad();
    const double largest = wanted.abs().max().item<double>();
    EXPECT_LE((found - wanted).abs().max().item<double>(), 1e-4 * largest + 1e-9) << name << ", largest " << largest;
    ++num_compared;
  }
  EXPECT_EQ(num_compared, golden.module().parameters().all().size());
}

TEST_P(TrainingTest, TenStepsEqualThePublishedOnes) {
  GoldenModel golden(GetParam());
  const nlohmann::json training = golden.json("training.json");
  const nlohmann::json& expected = training[golden.masking()];
  train::Parameters& parameters = golden.module().parameters();
  train::Optimizer optimizer(parameters, {.ema_momentum = training["ema"]["momentum"]});
  for (std::size_t step = 0; step < expected["losses"].size(); ++step) {
    parameters.gradients().zero_();
    const torch::Tensor value = loss(golden, training);
    EXPECT_NEAR(value.item<double>(), expected["losses"][step].get<double>(), 3e-4) << "step " << step;
    value.backward();
    optimizer.step(training["optimizer"]["lr"]);
  }
  const auto difference = [](const torch::Tensor& found, const nlohmann::json& wanted) {
    return (found.detach().flatten() - torch::tensor(wanted.get<std::vector<float>>())).abs().max().item<double>();
  };
  const torch::Tensor& bias = parameters["classifier.bias"];
  EXPECT_LT(difference(bias, expected["classifier_bias_after"]), 1e-5);
  EXPECT_LT(difference(optimizer.state().average.narrow(0, bias.storage_offset(), bias.numel()),
                       expected["ema_classifier_bias_after"]),
            1e-5);
  const torch::Tensor& embeddings = parameters["embeddings.weight"];
  EXPECT_LT(difference(embeddings[0], expected["embedding_row_0_after"]), 1e-4);
  EXPECT_EQ(embeddings[256].abs().max().item<double>(), expected["embedding_padding_row_after_absmax"].get<double>());
}

INSTANTIATE_TEST_SUITE_P(ModelsWithGradients, TrainingTest, ::testing::ValuesIn(cases(true)));

}  // namespace
}  // namespace byteformer::test
