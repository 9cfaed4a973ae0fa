// The list of tensors against the published state dicts, and the check of a file against it.
#include "model/weights.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::model {
namespace {

using format::DType;

format::ModelConfig small_config() {
  return format::parse_config(
      R"({"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, "num_labels": 3,
          "conv_kernel_size": 4, "max_position_embeddings": 20, "downsample": [false, true]})",
      "t");
}

/// Tensors of `config` filled with zeros that the test may damage.
class Weights {
 public:
  explicit Weights(const format::ModelConfig& config, DType dtype = DType::kF32) : zeros_(1 << 16, '\0') {
    tensors_.source = "w.safetensors";
    for (const TensorSpec& spec : tensor_specs(config)) add(spec.name, spec.shape, dtype);
  }

  void add(const std::string& name, const std::vector<std::int64_t>& shape, DType dtype = DType::kF32) {
    const auto num_bytes = static_cast<std::size_t>(*format::num_bytes_of(shape, dtype));
    tensors_.by_name[name] = {dtype, shape, test::as_bytes(zeros_).first(num_bytes)};
  }

  void set_bytes(const std::string& name, std::string_view bytes) {
    tensors_.by_name.at(name).bytes = test::as_bytes(bytes);
  }
  void erase(const std::string& name) { tensors_.by_name.erase(name); }
  const format::Tensors& tensors() const { return tensors_; }

 private:
  std::string zeros_;
  format::Tensors tensors_;
};

void expect_refused(const Weights& weights, std::initializer_list<std::string_view> parts) {
  test::expect_error_about("w.safetensors", ErrorCode::kInvalidModel, parts,
                           [&] { check_tensors(small_config(), weights.tensors()); });
}

TEST(WeightsTest, ListsTheTensorsInThePublishedOrder) {
  std::vector<std::string> found;
  for (const TensorSpec& spec : tensor_specs(small_config()))
    found.push_back(spec.name + format::shape_text(spec.shape));
  std::vector<std::string> expected{"embeddings.weight[257, 8]",
                                    "token_reduction_net.weight[8, 8, 4]",
                                    "pos_embed.pos_embed.pos_embed[1, 1, 20, 8]",
                                    "downsamplers.downsample_1.reduction.weight[8, 16]",
                                    "downsamplers.downsample_1.norm.weight[8]",
                                    "downsamplers.downsample_1.norm.bias[8]"};
  for (const std::string layer : {"transformer.0.", "transformer.1."})
    for (const std::string name :
         {"pre_norm_mha.0.weight[8]", "pre_norm_mha.0.bias[8]", "pre_norm_mha.1.qkv_proj.weight[24, 8]",
          "pre_norm_mha.1.qkv_proj.bias[24]", "pre_norm_mha.1.out_proj.weight[8, 8]", "pre_norm_mha.1.out_proj.bias[8]",
          "pre_norm_ffn.0.weight[8]", "pre_norm_ffn.0.bias[8]", "pre_norm_ffn.1.weight[12, 8]",
          "pre_norm_ffn.1.bias[12]", "pre_norm_ffn.4.weight[8, 12]", "pre_norm_ffn.4.bias[8]"})
      expected.push_back(layer + name);
  for (const char* name : {"post_transformer_norm.weight[8]", "post_transformer_norm.bias[8]",
                           "classifier.weight[3, 8]", "classifier.bias[3]"})
    expected.emplace_back(name);
  EXPECT_EQ(found, expected);
}

TEST(WeightsTest, CountsTheParametersOfThePaper) {
  auto tiny = format::parse_config(
      R"({"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "num_labels": 1000, "conv_kernel_size": 32,
          "max_position_embeddings": 9415})",
      "t");
  const std::int64_t classifier = 1000 * 193;
  EXPECT_NEAR(static_cast<double>(num_parameters(tiny) - classifier), 8.8e6, 0.05e6);
  EXPECT_NEAR(static_cast<double>(num_parameters(tiny)), 9.0e6, 0.05e6);
  const std::int64_t with_convolution = num_parameters(tiny);
  tiny.conv_kernel_size = 0;
  EXPECT_EQ(with_convolution - num_parameters(tiny), 192 * 192 * 32);
}

TEST(WeightsTest, AcceptsEveryTypeThatWeightsMayHave) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16})
    EXPECT_NO_THROW(check_tensors(small_config(), Weights(small_config(), dtype).tensors()));
}

TEST(WeightsTest, OnlySinusoidalPositionsMayBeAbsent) {
  auto config = small_config();
  Weights weights(config);
  weights.erase("pos_embed.pos_embed.pos_embed");
  expect_refused(weights, {"w.safetensors", "no tensor pos_embed.pos_embed.pos_embed", "[1, 1, 20, 8]"});
  config.position_embedding = format::PositionEmbedding::kSinusoidal;
  EXPECT_NO_THROW(check_tensors(config, weights.tensors()));
}

TEST(WeightsTest, NamesWhatIsMissingWrongOrTooMuch) {
  Weights missing(small_config());
  missing.erase("transformer.1.pre_norm_ffn.4.bias");
  expect_refused(missing, {"no tensor transformer.1.pre_norm_ffn.4.bias", "[8]"});
  Weights wrong_shape(small_config());
  wrong_shape.add("classifier.weight", {4, 8});
  expect_refused(wrong_shape, {"classifier.weight has shape [4, 8]", "needs [3, 8]"});
  Weights wrong_type(small_config());
  wrong_type.add("classifier.bias", {3}, DType::kI64);
  expect_refused(wrong_type, {"classifier.bias", "type I64", "F32, F16 or BF16"});
  Weights too_many(small_config());
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) too_many.add(name, {1});
  expect_refused(too_many, {"does not know: a [1], b [1], c [1], d [1] and 2 more"});
}

TEST(WeightsTest, RefusesNumbersThatAreNotFinite) {
  const std::string zeros(8, '\0');
  const std::pair<DType, const char*> cases[]{
      {DType::kF32, "\xFF\xFF\x7F\x7F"}, {DType::kF16, "\xFF\x7B"}, {DType::kBF16, "\x7F\x7F"}};
  for (const auto& [dtype, largest] : cases) {
    Weights weights(small_config(), dtype);
    const std::string padding(3 * format::size_of(dtype) - std::strlen(largest), '\0');
    std::string bytes = padding + largest;
    weights.set_bytes("classifier.bias", bytes);
    EXPECT_NO_THROW(check_tensors(small_config(), weights.tensors())) << to_string(dtype);
    for (const bool is_negative : {false, true}) {
      std::string infinity = padding + std::string(format::size_of(dtype) - 2, '\0');
      infinity += dtype == DType::kF16 ? std::string("\0\x7C", 2) : "\x80\x7F";
      if (is_negative) infinity.back() = static_cast<char>(infinity.back() | '\x80');
      weights.set_bytes("classifier.bias", infinity);
      expect_refused(weights, {"classifier.bias", "NaN or an infinity"});
      infinity[infinity.size() - 2] = static_cast<char>(infinity[infinity.size() - 2] | 1);
      expect_refused(weights, {"classifier.bias", "NaN or an infinity"});
    }
  }
}

}  // namespace
}  // namespace byteformer::model
