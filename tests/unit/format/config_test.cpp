// config.json: defaults, bounds, messages, and the way back.
#include "format/config.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "format/json.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::format {
namespace {

using test::expect_error;

constexpr const char* kSmallest =
    R"({"hidden_size": 48, "num_hidden_layers": 4, "num_attention_heads": 3, "num_labels": 2})";

/// The smallest configuration with `key` set to the JSON text `value`.
std::string with(const std::string& key, const std::string& value) {
  Json root = Json::parse(kSmallest);
  root[key] = Json::parse(value);
  return root.dump();
}

TEST(ConfigTest, ReadsTheGoldenConfigurations) {
  for (const auto& folder : std::filesystem::directory_iterator(test::data_path("models"))) {
    const std::string text = test::read_file(folder.path() / "config.json");
    const ModelConfig config = parse_config(text, "t");
    const Json expected = Json::parse(text);
    EXPECT_EQ(config.hidden_size, expected["hidden_size"]);
    EXPECT_EQ(config.window_shifts, expected["window_shifts"].get<std::vector<std::int64_t>>());
    EXPECT_EQ(config.downsample, expected["downsample"].get<std::vector<bool>>());
    EXPECT_EQ(to_string(config.masking), expected["masking"]);
    EXPECT_EQ(config.labels.at(9), "class_9");
  }
}

TEST(ConfigTest, FillsInThePublishedDefaults) {
  const ModelConfig config =
      parse_config(R"({"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "num_labels": 2})", "t");
  ModelConfig expected;
  expected.window_sizes.assign(12, 128);
  expected.window_shifts = {0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64};
  expected.downsample = {true, true, false, true, false, true, false, true, false, true, false, false};
  expected.num_labels = 2;
  expected.labels = {"0", "1"};
  EXPECT_EQ(config, expected);
  EXPECT_EQ(config.stride(), 8);
  EXPECT_EQ(config.head_dim(), 64);
}

TEST(ConfigTest, WritesWhatItReads) {
  ModelConfig config = parse_config(kSmallest, "t");
  EXPECT_EQ(parse_config(to_json(config), "t"), config);
  config.conv_kernel_size = 0;
  config.window_sizes = {1, 2, 3, 65536};
  config.window_shifts = {7, 0, 1'000'000'000, 64};
  config.downsample = {false, true, true, false};
  config.masking = Masking::kReleased;
  config.position_embedding = PositionEmbedding::kSinusoidal;
  config.layer_norm_eps = 0.1 + 0.2;
  config.temperature = std::nextafter(1.0, 2.0);
  config.labels = {"a \"cat\"\n", "\xE7\x8C\xAB"};
  config.label_info = {{"a \"cat\"\n", {{"cat", "CAT"}, "animal/cat", "animal"}},
                       {"\xE7\x8C\xAB", {{}, "", "x", {"n02121808", "\"mog\""}}}};
  config.unknown_below = 0.3;
  config.preprocess = R"({"image":{"quality":60,"scale":0.1},"name":"x"})";
  EXPECT_EQ(parse_config(to_json(config), "t"), config);
  EXPECT_EQ(to_json(parse_config(to_json(config), "t")), to_json(config));
}

TEST(ConfigTest, WritesTheKeysInTheOrderOfTheSpecification) {
  const std::string text = to_json(parse_config(kSmallest, "t"));
  EXPECT_TRUE(
      text.starts_with("{\n  \"model_type\": \"byteformer\",\n  \"format_version\": 1,\n  \"hidden_size\": 48,\n"));
  EXPECT_NE(text.find("  \"downsample\": [true, true, false, true],\n  \"masking\": \"masked\",\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("  \"temperature\": 1.0\n}\n"));
}

TEST(ConfigTest, LabelsComeInTheOrderOfTheirIndexes) {
  std::string labels;
  for (int i = 11; i >= 0; --i)
    labels += "\"" + std::to_string(i) + "\": \"name" + std::to_string(i) + (i > 0 ? "\", " : "\"");
  Json root = Json::parse(kSmallest);
  root.erase("num_labels");  // told by id2label
  root["id2label"] = Json::parse("{" + labels + "}");
  const ModelConfig config = parse_config(root.dump(), "t");
  EXPECT_EQ(config.num_labels, 12);
  EXPECT_EQ(config.labels[2], "name2");
  EXPECT_EQ(config.labels[10], "name10");
}

TEST(ConfigTest, IgnoresUnknownKeys) { EXPECT_NO_THROW(parse_config(with("dropout", "[1, {}]"), "t")); }

struct BadConfig {
  const char* key;
  const char* value;
  ErrorCode code;
  const char* part;  ///< of the message, beside the source and the key
};

class BadConfigTest : public testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, IsRefusedWithTheKey) {
  const BadConfig& bad = GetParam();
  expect_error(bad.code, {"dir/config.json", bad.key, bad.part},
               [&] { parse_config(with(bad.key, bad.value), "dir/config.json"); });
}

constexpr auto kFormat = ErrorCode::kInvalidFormat;
constexpr auto kModel = ErrorCode::kInvalidModel;

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, BadConfigTest,
    testing::Values(
        BadConfig{"hidden_size", "\"48\"", kFormat, "the string \"48\", expected an integer"},
        BadConfig{"hidden_size", "48.0", kFormat, "48.0, expected an integer"},
        BadConfig{"hidden_size", "18446744073709551615", kFormat, "expected an integer"},
        BadConfig{"layer_norm_eps", "\"1e-5\"", kFormat, "expected a number"},
        BadConfig{"window_sizes", "32", kFormat, "32, expected an array"},
        BadConfig{"window_sizes", "[32, 32, \"a\", 32]", kFormat, "window_sizes[2] is the string \"a\""},
        BadConfig{"downsample", "[true, 1, true, true]", kFormat, "downsample[1] is 1, expected true or false"},
        BadConfig{"masking", "\"none\"", kFormat, "expected \"released\" or \"masked\""},
        BadConfig{"masking", "1", kFormat, "expected a string"},
        BadConfig{"position_embedding_type", "\"rotary\"", kFormat, "\"learned\" or \"sinusoidal\""},
        BadConfig{"id2label", "[\"a\", \"b\"]", kFormat, "an array of 2, expected an object"},
        BadConfig{"id2label", "{\"0\": 1, \"1\": \"b\"}", kFormat, "expected a string"},
        BadConfig{"id2label", "{\"0\": \"a\", \"2\": \"b\"}", kFormat, "\"2\", expected exactly \"0\" to \"1\""},
        BadConfig{"id2label", "{\"0\": \"a\", \"01\": \"b\"}", kFormat, "\"01\""},
        BadConfig{"id2label", "{\"0\": \"a\", \"-1\": \"b\"}", kFormat, "\"-1\""},
        BadConfig{"preprocess", "[]", kFormat, "expected an object"},
        BadConfig{"model_type", "\"vit\"", ErrorCode::kUnsupported, "expected \"byteformer\""},
        BadConfig{"format_version", "2", ErrorCode::kUnsupported, "2, this build reads 1"}));

INSTANTIATE_TEST_SUITE_P(
    OutOfRange, BadConfigTest,
    testing::Values(BadConfig{"hidden_size", "0", kModel, "0, expected 1 to 65536"},
                    BadConfig{"hidden_size", "-48", kModel, "-48"}, BadConfig{"hidden_size", "65537", kModel, "65537"},
                    BadConfig{"hidden_size", "9223372036854775807", kModel, "9223372036854775807"},
                    BadConfig{"num_hidden_layers", "0", kModel, "0, expected 1 to 4096"},
                    BadConfig{"num_hidden_layers", "1000000000000", kModel, "1000000000000"},
                    BadConfig{"num_attention_heads", "0", kModel, "0, expected"},
                    BadConfig{"num_attention_heads", "5", kModel, "a divisor of hidden_size, which is 48"},
                    BadConfig{"intermediate_size", "0", kModel, "expected 1 to"},
                    BadConfig{"vocab_size", "256", kModel, "256, expected 257"},
                    BadConfig{"pad_token_id", "0", kModel, "0, expected 256"},
                    BadConfig{"layer_norm_eps", "0", kModel, "positive finite"},
                    BadConfig{"layer_norm_eps", "-1e-5", kModel, "-1e-05"},
                    BadConfig{"temperature", "0", kModel, "positive finite"},
                    BadConfig{"unknown_below", "1.5", kModel, "1.5, expected 0 to 1"},
                    BadConfig{"label_info", "[]", ErrorCode::kInvalidFormat, "an object with an object for each label"},
                    BadConfig{"label_info", R"({"a": 1})", ErrorCode::kInvalidFormat, "label_info[\"a\"] is 1"},
                    BadConfig{"label_info", R"({"a": {"aliases": "b"}})", ErrorCode::kInvalidFormat,
                              "label_info[\"a\"]: aliases is the string \"b\", expected an array of strings"},
                    BadConfig{"label_info", R"({"a": {"extensions": [1]}})", ErrorCode::kInvalidFormat,
                              "extensions[0] is 1, expected a string"},
                    BadConfig{"conv_kernel_size", "7", kModel, "7, expected an even number"},
                    BadConfig{"conv_kernel_size", "-2", kModel, "-2, expected 0 to 65536"},
                    BadConfig{"conv_kernel_size", "65538", kModel, "65538"},
                    BadConfig{"max_position_embeddings", "0", kModel, "expected 1 to"},
                    BadConfig{"max_position_embeddings", "99999999999", kModel, "expected 1 to"},
                    BadConfig{"window_sizes", "[32, 32, 32]", kModel,
                              "3 entries, expected one for each of the 4 layers"},
                    BadConfig{"window_sizes", "[32, 32, 0, 32]", kModel, "window_sizes[2] is 0"},
                    BadConfig{"window_shifts", "[0, -1, 0, 0]", kModel, "window_shifts[1] is -1"},
                    BadConfig{"window_shifts", "[]", kModel, "0 entries"},
                    BadConfig{"downsample", "[true]", kModel, "1 entries"},
                    BadConfig{"num_labels", "0", kModel, "expected 1 to"},
                    BadConfig{"num_labels", "4000000000", kModel, "expected 1 to"},
                    BadConfig{"id2label", "{\"0\": \"a\"}", kModel, "has 1 labels, num_labels is 2"}));

TEST(ConfigTest, MissingSizesAreNamed) {
  for (const char* key : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_labels"}) {
    Json root = Json::parse(kSmallest);
    root.erase(key);
    expect_error(kModel, {"t", key, "missing"}, [&] { parse_config(root.dump(), "t"); });
  }
}

TEST(ConfigTest, DuplicateKeysAreRefused) {
  expect_error(kFormat, {"hidden_size", "twice"},
               [] { parse_config(R"({"hidden_size": 48, "hidden_size": 48})", "t"); });
}

TEST(ConfigTest, SinusoidalPositionsNeedAnEvenHiddenSize) {
  for (const char* size : {"3", "2"}) {
    Json root = Json::parse(with("position_embedding_type", "\"sinusoidal\""));
    root["hidden_size"] = Json::parse(size);
    root["num_attention_heads"] = 1;
    expect_error(kModel, {"hidden_size", size, "sinusoidal"}, [&] { parse_config(root.dump(), "t"); });
  }
}

TEST(ConfigTest, ARootOfAnotherKindIsRefused) {
  expect_error(kFormat, {"an array of 0, expected a JSON object"}, [] { parse_config("[]", "t"); });
}

TEST(ConfigTest, MaskingNames) {
  EXPECT_EQ(parse_masking("released"), Masking::kReleased);
  EXPECT_EQ(parse_masking("masked"), Masking::kMasked);
  expect_error(ErrorCode::kInvalidArgument, {"Masked", "released", "masked"}, [] { parse_masking("Masked"); });
}

}  // namespace
}  // namespace byteformer::format
