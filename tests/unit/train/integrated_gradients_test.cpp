// Integrated gradients: completeness, agreement with differences, and what no token reads.
#include "train/integrated_gradients.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "byteformer/error.hpp"
#include "support/random_model.hpp"
#include "train/module.hpp"

namespace byteformer::train {
namespace {

using test::Random;

format::ModelConfig config_of(std::int64_t hidden_size, std::int64_t kernel_size, Masking masking) {
  format::ModelConfig config;
  config.hidden_size = hidden_size;
  config.num_attention_heads = 2;
  config.intermediate_size = 2 * hidden_size;
  config.num_hidden_layers = 2;
  config.conv_kernel_size = kernel_size;
  config.max_position_embeddings = 300;
  config.window_sizes = {8, 16};
  config.window_shifts = {0, 3};
  config.downsample = {true, false};
  config.masking = masking;
  config.num_labels = 3;
  config.labels = {"a", "b", "c"};
  config.temperature = 1.5;
  return config;
}

Module module_of(const format::ModelConfig& config, std::uint64_t seed) {
  Random random(seed);
  Module module(config, {.num_threads = 2});
  module.parameters().load(*test::random_tensors(config, random));
  return module;
}

double sum_of(const IntegratedGradients& found) { return std::accumulate(found.heat.begin(), found.heat.end(), 0.0); }

TEST(IntegratedGradients, AddUpToTheDifference) {
  Random random(3);
  for (const std::int64_t hidden : {32, 12})  // our own kernels, and LibTorch's operators
    for (const std::int64_t kernel : {0, 4, 8})
      for (const Masking masking : {Masking::kMasked, Masking::kReleased})
        for (const bool of_logit : {false, true}) {
          const format::ModelConfig config = config_of(hidden, kernel, masking);
          Module module = module_of(config, static_cast<std::uint64_t>(hidden + kernel));
          EXPECT_EQ(module.uses_own_kernels(), hidden == 32);
          const auto file = test::random_file(random, 101);
          const auto found = integrated_gradients(module, file, {.label = 1, .of_logit = of_logit, .steps = 128});
          const double difference = found.value - found.value_without;
          EXPECT_NEAR(sum_of(found), difference, 0.01 * std::max(1.0, std::abs(difference)))
              << "hidden " << hidden << ", kernel " << kernel << ", " << format::to_string(masking);
          ASSERT_EQ(found.heat.size(), file.size());
        }
}

TEST(IntegratedGradients, ValueIsThatOfTheLogits) {
  Random random(4);
  Module module = module_of(config_of(32, 8, Masking::kMasked), 4);
  const auto file = test::random_file(random, 77);
  const std::span<const std::uint8_t> files[] = {file};
  const torch::Tensor logits = module.forward(files).detach().to(torch::kFloat64)[0];
  const auto odds = integrated_gradients(module, file, {.label = 2, .steps = 1});
  const torch::Tensor scores = torch::softmax(logits / 1.5, 0);
  const double score = scores[2].item<double>();
  EXPECT_NEAR(odds.value, std::log(score / (1 - score)), 1e-5);
  EXPECT_NEAR(integrated_gradients(module, file, {.label = 2, .of_logit = true, .steps = 1}).value,
              logits[2].item<double>(), 1e-6);
}

/// Near the end of a line that is short, a byte's heat is what its embedding changes.
TEST(IntegratedGradients, OfATinyEmbeddingAreDifferences) {
  const format::ModelConfig config = config_of(32, 4, Masking::kMasked);
  Module module = module_of(config, 5);
  {
    const torch::NoGradGuard guard;
    module.parameters()["embeddings.weight"].mul_(0.003);
  }
  Random random(5);
  auto file = test::random_file(random, 30);
  std::fill(file.begin(), file.end(), std::uint8_t{1});  // value 0 shall mean no byte
  file[11] = 2;
  {
    const torch::NoGradGuard guard;
    module.parameters()["embeddings.weight"][0].zero_();
  }
  const auto found = integrated_gradients(module, file, {.label = 0, .of_logit = true, .steps = 8});
  for (const std::size_t at : {std::size_t{0}, std::size_t{11}, std::size_t{29}}) {
    auto without = file;
    without[at] = 0;
    const double fall = found.value - integrated_gradients(module, without, {.of_logit = true, .steps = 1}).value;
    EXPECT_NEAR(static_cast<double>(found.heat[at]), fall, 0.05 * std::abs(fall) + 1e-5) << at;
  }
}

TEST(IntegratedGradients, GiveNothingToWhatNoTokenReads) {
  Module module = module_of(config_of(32, 8, Masking::kReleased), 6);
  Random random(6);
  const auto file = test::random_file(random, 8 + 4 * 5 + 3);
  const auto found = integrated_gradients(module, file, {.steps = 4});
  for (std::size_t i = file.size() - 3; i < file.size(); ++i) EXPECT_EQ(found.heat[i], 0.0f);
  EXPECT_NE(found.heat[file.size() - 4], 0.0f);
  EXPECT_EQ(integrated_gradients(module, test::random_file(random, 3), {.steps = 4}).heat.size(), 3U);  // < kernel
}

TEST(IntegratedGradients, RefuseWhatSaysNothing) {
  format::ModelConfig config = config_of(32, 8, Masking::kMasked);
  config.num_labels = 1;
  config.labels = {"a"};
  Module module = module_of(config, 7);
  const std::vector<std::uint8_t> file(20, 1);
  EXPECT_THROW(integrated_gradients(module, file, {.steps = 2}), Error);
  EXPECT_EQ(integrated_gradients(module, file, {.of_logit = true, .steps = 2}).heat.size(), 20U);
  EXPECT_THROW(integrated_gradients(module, {}, {.of_logit = true}), Error);
}

TEST(Quadrature, IsExactForPolynomials) {
  for (const int num_points : {1, 2, 5, 16, 64, 333})
    for (const int degree : {0, 1, 2 * num_points - 2, 2 * num_points - 1}) {
      double integral = 0;
      double before = 0;
      for (const auto& [at, weight] : gauss_legendre(num_points)) {
        EXPECT_GT(at, before);
        EXPECT_GT(weight, 0);
        before = at;
        integral += weight * std::pow(at, degree);
      }
      EXPECT_LT(before, 1);
      EXPECT_NEAR(integral, 1.0 / (degree + 1), 1e-13) << num_points << " points, degree " << degree;
    }
}

TEST(Quadrature, IsNotExactBeyond) {
  double integral = 0;
  for (const auto& [at, weight] : gauss_legendre(2)) integral += weight * std::pow(at, 4);
  EXPECT_GT(std::abs(integral - 0.2), 1e-3);
}

}  // namespace
}  // namespace byteformer::train
