// The published YAML configurations.
#include <gtest/gtest.h>

#include "interop/partial_config.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::interop {
namespace {

using test::expect_error;
using Integers = std::vector<std::int64_t>;

std::string byteformer_section(const std::string& lines) {
  return "model:\n  classification:\n    byteformer:\n" + lines;
}

format::PartialConfig parse(const std::string& yaml) { return parse_published_yaml(yaml, "run.yaml"); }

void expect_yaml_refused(const std::string& yaml, std::initializer_list<std::string_view> parts,
                         ErrorCode code = ErrorCode::kInvalidFormat) {
  expect_error(code, parts, [&] { parse(yaml); });
}

TEST(PublishedYamlTest, ReadsAWholeRun) {
  const auto config = parse_published_yaml(test::read_file(test::data_path("configs/speech_mp3_k4_w32.yaml")), "t");
  EXPECT_EQ(config.hidden_size, 192);
  EXPECT_EQ(config.num_hidden_layers, 12);
  EXPECT_EQ(config.num_attention_heads, 3);
  EXPECT_EQ(config.intermediate_size, 768);
  EXPECT_EQ(config.max_position_embeddings, 50'000);
  EXPECT_EQ(config.conv_kernel_size, 4);
  EXPECT_EQ(config.window_size, 32);
  EXPECT_EQ(config.num_labels, 12);
  EXPECT_EQ(config.masking, Masking::kReleased);
  EXPECT_FALSE(config.window_sizes || config.window_shifts || config.downsample || config.labels);
}

TEST(PublishedYamlTest, ReadsEveryKeyOfTheModel) {
  const auto config = parse(byteformer_section(R"(
      mode: Huge
      window_sizes: [32, 64]
      window_shifts: [0, 5]
      downsample: [yes, false]
      vocab_size: 257
      dropout: 0.1
      stochastic_dropout: 0.2
      norm_layer: layer_norm
      sinusoidal_pos_emb: true
)"));
  EXPECT_EQ(config.hidden_size, 1280);
  EXPECT_EQ(config.num_hidden_layers, 32);
  EXPECT_EQ(config.window_sizes, (Integers{32, 64}));
  EXPECT_EQ(config.window_shifts, (Integers{0, 5}));
  EXPECT_EQ(config.downsample, (std::vector<bool>{true, false}));
  EXPECT_EQ(config.vocab_size, 257);
  EXPECT_EQ(config.position_embedding, format::PositionEmbedding::kSinusoidal);
}

TEST(PublishedYamlTest, UnderstandsDottedKeysAtAnyLevel) {
  for (const std::string yaml : {"model.classification.byteformer.conv_kernel_size: 8\n",
                                 "model:\n  classification.byteformer.conv_kernel_size: 8\n",
                                 "model.classification:\n  byteformer:\n    conv_kernel_size: 8\n",
                                 "{model: {classification.byteformer: {conv_kernel_size: 8}}}"})
    EXPECT_EQ(parse(yaml).conv_kernel_size, 8) << yaml;
}

TEST(PublishedYamlTest, LeavesOpenWhatIsNotSaid) {
  const auto config = parse("# a comment\ncommon:\n  run_label: train\nmodel: ~\n");
  EXPECT_FALSE(config.hidden_size || config.conv_kernel_size || config.max_position_embeddings || config.window_size);
}

TEST(PublishedYamlTest, FollowsAliasesButNotBombs) {
  EXPECT_EQ(parse("x: &k 8\nmodel:\n  classification:\n    n_classes: *k\n").num_labels, 8);
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  expect_yaml_refused(bomb + byteformer_section("      window_sizes: *a39\n"),
                      {"window_sizes is a list of 2, expected an integer"});
  expect_yaml_refused("model: &m\n  classification: *m\n  n_classes: *m\nmodel.classification.n_classes: x\n",
                      {"n_classes"});
}

TEST(PublishedYamlTest, NamesLineKeyAndValue) {
  expect_yaml_refused(
      byteformer_section("      conv_kernel_size: four\n"),
      {"run.yaml", "line 4", "model.classification.byteformer.conv_kernel_size", "\"four\"", "an integer"});
  expect_yaml_refused(byteformer_section("      conv_kernel_size: 4.0\n"), {"\"4.0\""});
  expect_yaml_refused(byteformer_section("      conv_kernel_size: [4]\n"), {"a list of 1, expected an integer"});
  expect_yaml_refused(byteformer_section("      conv_kernel_size: 99999999999999999999\n"), {"expected an integer"});
  expect_yaml_refused(byteformer_section("      window_sizes: {a: 1}\n"), {"a mapping, expected a list"});
  expect_yaml_refused(byteformer_section("      window_sizes: [1, [2]]\n"), {"a list of 1, expected an integer"});
  expect_yaml_refused(byteformer_section("      downsample: [1]\n"), {"\"1\", expected true or false"});
  expect_yaml_refused(byteformer_section("      mode: giant\n"), {"giant", "tiny, small, base or huge"});
  expect_yaml_refused(byteformer_section("      mode: [tiny]\n"), {"a list of 1, expected a text"});
}

TEST(PublishedYamlTest, RefusesAKeySaidTwice) {
  expect_yaml_refused(byteformer_section("      mode: tiny\n      mode: tiny\n"), {"mode twice, in lines 4 and 5"});
  expect_yaml_refused(byteformer_section("      mode: tiny\n") + "model.classification.byteformer.mode: base\n",
                      {"mode twice"});
}

TEST(PublishedYamlTest, RefusesAnotherModel) {
  expect_yaml_refused("model: {classification: {name: vit}}", {"vit", "byteformer"}, ErrorCode::kUnsupported);
  expect_yaml_refused("model: {activation: {name: relu}}", {"relu", "gelu"}, ErrorCode::kUnsupported);
  expect_yaml_refused("model: {layer: {global_pool: max}}", {"max", "mean"}, ErrorCode::kUnsupported);
  expect_yaml_refused(byteformer_section("      norm_layer: batch_norm\n"), {"batch_norm"}, ErrorCode::kUnsupported);
}

TEST(PublishedYamlTest, RefusesWhatIsNotYaml) {
  expect_yaml_refused("a: [1, 2", {"run.yaml", "not valid YAML", "line"});
  expect_yaml_refused("a: *nothing", {"not valid YAML"});
  expect_yaml_refused("- 1", {"a list of 1, expected a YAML mapping"});
  expect_yaml_refused("", {"nothing, expected a YAML mapping"});
  expect_yaml_refused("a: \xFF", {"UTF-8"});
  expect_yaml_refused(std::string("a: 1\0", 5), {"UTF-8"});
  expect_yaml_refused(std::string(1'000, '['), {"not valid YAML"});
  expect_yaml_refused("a: " + std::string(2 << 20, 'x'), {"a configuration may have"});
}

}  // namespace
}  // namespace byteformer::interop
