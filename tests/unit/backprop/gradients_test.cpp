// Forward and backward passes of stem, blocks and merges against the double-precision oracle, and their bits on any
// threads.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "backprop/block.hpp"
#include "backprop/merge.hpp"
#include "backprop/stem.hpp"
#include "support/effort.hpp"
#include "support/oracle.hpp"
#include "support/random_model.hpp"

namespace byteformer::backprop {
namespace {

using Weights = std::map<std::string, std::vector<float>>;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// A random model of sizes that the kernels take, and a batch of files.
struct Problem {
  format::ModelConfig config;
  Weights weights;
  Shapes shapes;
  std::vector<std::vector<std::uint8_t>> files;
  std::vector<std::vector<double>>
      wanted;  // [files][hidden]: what the mean of each file's last rows is multiplied with
};

Problem random_problem(test::Random& random) {
  Problem p;
  p.config = test::random_config(random);
  p.config.num_attention_heads = test::pick(random, 1, 3);
  p.config.hidden_size = 48;
  p.config.intermediate_size = 16 * test::pick(random, 1, 6);
  p.config.position_embedding = format::PositionEmbedding::kLearned;
  p.config.max_position_embeddings = 400;
  const auto tensors = test::random_tensors(p.config, random);
  for (const auto& [name, view] : tensors->by_name) {
    p.weights[name] = format::to_float32(view, name);
    p.shapes[name] = view.shape;
  }
  auto& embedding = p.weights["embeddings.weight"];
  std::fill(embedding.end() - p.config.hidden_size, embedding.end(), 0.0f);
  std::normal_distribution<double> normal;
  for (std::int64_t i = test::pick(random, 1, 3); i > 0; --i) {
    p.files.push_back(test::random_file(random, static_cast<std::size_t>(test::pick(random, 1, 300))));
    for (auto& w : p.wanted.emplace_back(48)) w = normal(random);
  }
  return p;
}

format::Tensors as_tensors(const Problem& p, const Weights& weights) {
  format::Tensors tensors;
  for (const auto& [name, numbers] : weights)
    tensors.by_name[name] = {format::DType::kF32, p.shapes.at(name), std::as_bytes(std::span(numbers))};
  return tensors;
}

/// sum over files of wanted . mean of the last rows, by the oracle.
double oracle_loss(const Problem& p, const Weights& weights) {
  const format::Tensors tensors = as_tensors(p, weights);
  double loss = 0;
  for (std::size_t f = 0; f < p.files.size(); ++f) {
    const test::OracleStages stages = test::oracle_forward(p.config, tensors, p.config.masking, p.files[f]);
    const test::Rows* last = nullptr;
    for (const auto& [name, rows] : stages.stages)
      if (name.starts_with("block_") || name.starts_with("merge_")) last = &rows;
    for (const auto& row : *last)
      for (std::size_t i = 0; i < row.size(); ++i) loss += p.wanted[f][i] * row[i] / static_cast<double>(last->size());
  }
  return loss;
}

/// The same by our kernels, with gradients.
class Passes {
 public:
  Passes(const Problem& p, const kernels::Kernels& kernels, int num_threads)
      : p_(p), pool_(num_threads), workers_(pool_, kernels) {
    for (const auto& [name, numbers] : p.weights) gradients[name].resize(numbers.size());
    forward();
    backward();
  }

  double loss = 0;
  std::map<std::string, std::vector<float>> gradients;

 private:
  using Rows = std::vector<float>;
  struct Step {
    bool is_merge = false;
    std::string prefix;
    WindowPlan windows;
    MergePlan pairs;
    BlockMemory block;
    MergeMemory merge;
    Rows input;
  };

  const float* weight(const std::string& name) const { return p_.weights.at(name).data(); }
  float* gradient(const std::string& name) { return gradients.at(name).data(); }

  template <typename Pointer, typename Get>
  static BlockTensors<Pointer> block_tensors(const std::string& prefix, const Get& get) {
    return {get(prefix + "pre_norm_mha.0.weight"),          get(prefix + "pre_norm_mha.0.bias"),
            get(prefix + "pre_norm_mha.1.qkv_proj.weight"), get(prefix + "pre_norm_mha.1.qkv_proj.bias"),
            get(prefix + "pre_norm_mha.1.out_proj.weight"), get(prefix + "pre_norm_mha.1.out_proj.bias"),
            get(prefix + "pre_norm_ffn.0.weight"),          get(prefix + "pre_norm_ffn.0.bias"),
            get(prefix + "pre_norm_ffn.1.weight"),          get(prefix + "pre_norm_ffn.1.bias"),
            get(prefix + "pre_norm_ffn.4.weight"),          get(prefix + "pre_norm_ffn.4.bias")};
  }
  template <typename Pointer, typename Get>
  static MergeTensors<Pointer> merge_tensors(const std::string& prefix, const Get& get) {
    return {get(prefix + "reduction.weight"), get(prefix + "norm.weight"), get(prefix + "norm.bias")};
  }
  BlockShape block_shape() const {
    return {48, static_cast<std::size_t>(p_.config.num_attention_heads),
            static_cast<std::size_t>(p_.config.intermediate_size), static_cast<float>(p_.config.layer_norm_eps)};
  }
  MergeShape merge_shape() const { return {48, static_cast<float>(p_.config.layer_norm_eps)}; }
  StemShape stem_shape() const { return {48, {p_.config.conv_kernel_size, p_.config.masking}}; }
  StemTensors<const float*> stem_weights() const {
    return {weight("embeddings.weight"),
            p_.config.conv_kernel_size > 0 ? weight("token_reduction_net.weight") : nullptr,
            weight("pos_embed.pos_embed.pos_embed")};
  }

  void forward() {
    std::vector<std::span<const std::uint8_t>> files(p_.files.begin(), p_.files.end());
    ids_ = pack_ids(stem_shape().tokens, files);
    for (const auto& file : ids_.files) rows_.push_back(static_cast<std::int64_t>(file.num_tokens));
    Rows x(ids_.num_tokens() * 48);
    StemMemory memory;
    stem_forward(stem_shape(), stem_weights(), ids_, memory, x.data(), workers_);
    const auto get = [&](const std::string& name) { return weight(name); };
    for (std::int64_t i = 0; i < p_.config.num_hidden_layers; ++i) {
      const auto layer = static_cast<std::size_t>(i);
      Step& step = steps_.emplace_back();
      step.prefix = "transformer." + std::to_string(i) + ".";
      step.windows =
          cut_windows(rows_, {p_.config.window_sizes[layer], p_.config.window_shifts[layer], p_.config.masking});
      step.block = BlockMemory(block_shape(), step.windows.rows.size(), workers_.buffers);
      step.input = x;
      block_forward(block_shape(), block_tensors<const float*>(step.prefix, get), step.windows, step.input.data(),
                    step.block, x.data(), workers_);
      if (p_.config.downsample[layer]) merge(i, x);
    }
    std::size_t row = 0;
    d_last_.resize(x.size());
    for (std::size_t f = 0; f < rows_.size(); ++f)
      for (std::int64_t r = 0; r < rows_[f]; ++r, ++row)
        for (std::size_t c = 0; c < 48; ++c) {
          const double share = p_.wanted[f][c] / static_cast<double>(rows_[f]);
          loss += share * x[row * 48 + c];
          d_last_[row * 48 + c] = static_cast<float>(share);
        }
  }

  void merge(std::int64_t i, Rows& x) {
    Step& step = steps_.emplace_back();
    step.is_merge = true;
    step.prefix = "downsamplers.downsample_" + std::to_string(i) + ".";
    step.pairs = pair_rows(rows_);
    step.merge = workers_.buffers.take(step.pairs.num_merged() * 48);
    step.input = x;
    x.resize(step.pairs.num_merged() * 48);
    merge_forward(merge_shape(), merge_tensors<const float*>(step.prefix, [&](const auto& n) { return weight(n); }),
                  step.pairs, step.input.data(), step.merge, x.data(), workers_);
    rows_ = step.pairs.merged_rows;
  }

  void backward() {
    Rows d = d_last_;
    const auto value = [&](const std::string& name) { return weight(name); };
    const auto slope = [&](const std::string& name) { return gradient(name); };
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      Rows d_x(step->input.size());
      if (step->is_merge) {
        merge_backward(merge_shape(), merge_tensors<const float*>(step->prefix, value), step->pairs, step->input.data(),
                       step->merge, d.data(), d_x.data(), merge_tensors<float*>(step->prefix, slope), workers_);
      } else {
        block_backward(block_shape(), block_tensors<const float*>(step->prefix, value), step->windows,
                       step->input.data(), step->block, d.data(), d_x.data(),
                       block_tensors<float*>(step->prefix, slope), workers_);
      }
      d = d_x;
    }
    const bool has_convolution = p_.config.conv_kernel_size > 0;
    stem_backward(stem_shape(), stem_weights(), ids_, d.data(),
                  {gradient("embeddings.weight"), has_convolution ? gradient("token_reduction_net.weight") : nullptr,
                   gradient("pos_embed.pos_embed.pos_embed")},
                  workers_);
  }

  const Problem& p_;
  base::ThreadPool pool_;
  TrainingWorkers workers_;
  PackedIds ids_;
  std::vector<std::int64_t> rows_;
  std::vector<Step> steps_;
  Rows d_last_;
};

class GradientsTest : public ::testing::TestWithParam<const kernels::Kernels*> {};

TEST_P(GradientsTest, LossAndSlopesAgreeWithTheOracle) {
  test::Random random(11);
  std::normal_distribution<float> normal;
  for (int trial = 0; trial < test::effort(6); ++trial) {
    Problem p = random_problem(random);
    const Passes run(p, *GetParam(), 2);
    const double expected = oracle_loss(p, p.weights);
    EXPECT_NEAR(run.loss, expected, 2e-5 * (1 + std::abs(expected))) << "trial " << trial;
    for (const auto& [name, numbers] : p.weights) {
      if (name.starts_with("post_transformer_norm") || name.starts_with("classifier")) continue;
      // The slope along one random direction, by central differences.
      Weights up = p.weights, down = p.weights;
      double predicted = 0, size = 0;
      const std::size_t count = name == "embeddings.weight" ? numbers.size() - 48 : numbers.size();
      for (std::size_t i = 0; i < count; ++i) {
        const float step = 3e-4f * normal(random);
        up[name][i] += step;
        down[name][i] -= step;
        const double difference = static_cast<double>(up[name][i]) - down[name][i];
        predicted += run.gradients.at(name)[i] * difference;
        size += std::pow(run.gradients.at(name)[i] * difference, 2);
      }
      const double measured = oracle_loss(p, up) - oracle_loss(p, down);
      EXPECT_NEAR(predicted, measured, 2e-3 * std::sqrt(size) + 1e-6) << name << ", trial " << trial;
    }
  }
}

TEST_P(GradientsTest, ThreadsChangeNoBit) {
  test::Random random(5);
  for (int trial = 0; trial < test::effort(6); ++trial) {
    const Problem p = random_problem(random);
    const Passes one(p, *GetParam(), 1), three(p, *GetParam(), 3);
    EXPECT_EQ(one.loss, three.loss);
    EXPECT_EQ(one.gradients, three.gradients) << "trial " << trial;
  }
}

TEST_P(GradientsTest, ThePaddingIdLearnsNothing) {
  test::Random random(7);
  const Problem p = random_problem(random);
  const Passes run(p, *GetParam(), 2);
  const auto& gradient = run.gradients.at("embeddings.weight");
  for (std::size_t i = gradient.size() - 48; i < gradient.size(); ++i) EXPECT_EQ(gradient[i], 0);
}

INSTANTIATE_TEST_SUITE_P(Kernels, GradientsTest,
                         ::testing::ValuesIn(kernels::available_kernels().begin(), kernels::available_kernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace byteformer::backprop
