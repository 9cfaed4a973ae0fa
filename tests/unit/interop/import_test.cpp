// Import and export: what is inferred, what contradicts, what comes back.
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "format/safetensors.hpp"
#include "interop/checkpoint.hpp"
#include "interop/import_export.hpp"
#include "interop/partial_config.hpp"
#include "model/weights.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::interop {
namespace {

namespace fs = std::filesystem;
using format::ModelConfig;
using test::data_path;
using test::expect_error;

/// Writes a checkpoint of `config` whose tensors are all zeros, in half precision.
void write_zeros(const fs::path& path, const ModelConfig& config) {
  const auto specs = model::tensor_specs(config);
  std::size_t max_bytes = 0;
  for (const auto& spec : specs)
    max_bytes = std::max<std::size_t>(max_bytes, *num_bytes_of(spec.shape, format::DType::kF16));
  const std::string zeros(max_bytes, '\0');
  std::map<std::string, format::TensorView, std::less<>> tensors;
  for (const auto& spec : specs) {
    const auto num_bytes = static_cast<std::size_t>(*num_bytes_of(spec.shape, format::DType::kF16));
    tensors.emplace(spec.name,
                    format::TensorView{format::DType::kF16, spec.shape, test::as_bytes(zeros).first(num_bytes)});
  }
  write_pt(path, tensors);
}

class ImportTest : public testing::Test {
 protected:
  ModelConfig import(const std::string& config, const fs::path& weights = data_path("models/k4_w32/weights.pt"),
                     const std::string& config_name = "config.json") {
    test::write_file(folder_ / config_name, config);
    ImportOptions options;
    options.weights = weights;
    options.config = folder_ / config_name;
    options.output = folder_ / "model";
    options.masking = masking_;
    if (!labels_.empty()) {
      test::write_file(folder_ / "labels.txt", labels_);
      options.labels = folder_ / "labels.txt";
    }
    return import_model(options);
  }

  void expect_refused(const std::string& config, std::initializer_list<std::string_view> parts,
                      ErrorCode code = ErrorCode::kInvalidModel) {
    expect_error(code, parts, [&] { import(config); });
    EXPECT_FALSE(fs::exists(folder_ / "model"));
  }

  test::TemporaryFolder folder_;
  std::string labels_;
  std::optional<Masking> masking_;
};

TEST_F(ImportTest, GoldenModelsKeepTheirConfigurationAndTensors) {
  for (const auto& golden : fs::directory_iterator(data_path("models"))) {
    const std::string text = test::read_file(golden.path() / "config.json");
    const ModelConfig config = import(text, golden.path() / "weights.pt");
    EXPECT_EQ(config, format::parse_config(text, "t"));
    const auto model = format::read_model_folder(folder_ / "model");
    EXPECT_EQ(model.config, config);
    model::check_tensors(model.config, model.tensors);
    for (const auto& [name, tensor] : read_weights(golden.path() / "weights.pt").by_name)
      EXPECT_TRUE(std::ranges::equal(model.tensors.by_name.at(name).bytes, tensor.bytes)) << name;
    fs::remove_all(folder_ / "model");
  }
}

TEST_F(ImportTest, ShapesTellWhatTheConfigurationDoesNot) {
  const ModelConfig config = import(R"({"num_attention_heads": 3})");
  EXPECT_EQ(config.hidden_size, 48);
  EXPECT_EQ(config.num_hidden_layers, 4);
  EXPECT_EQ(config.intermediate_size, 192);
  EXPECT_EQ(config.conv_kernel_size, 4);
  EXPECT_EQ(config.max_position_embeddings, 700);
  EXPECT_EQ(config.num_labels, 10);
  EXPECT_EQ(config.downsample, format::read_config(data_path("models/k4_w32")).downsample);
  EXPECT_EQ(config.window_sizes, (std::vector<std::int64_t>{128, 128, 128, 128}));
  EXPECT_EQ(config.labels[3], "3");
  EXPECT_EQ(config.masking, Masking::kReleased);
}

TEST_F(ImportTest, AMissingConvolutionMeansKernelZero) {
  EXPECT_EQ(import(R"({"num_attention_heads": 2})", data_path("models/d_k0/weights.pt")).conv_kernel_size, 0);
}

TEST_F(ImportTest, APublishedYamlMakesTheWholeModel) {
  const std::string yaml = "model.classification.byteformer: {mode: tiny, conv_kernel_size: 4, window_sizes: 32}\n";
  const ModelConfig tiny = format::parse_config(
      R"({"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "num_labels": 12, "conv_kernel_size": 4,
          "max_position_embeddings": 100, "masking": "released", "window_sizes": [32,32,32,32,32,32,32,32,32,32,32,32]})",
      "t");
  write_zeros(folder_ / "w.pt", tiny);
  EXPECT_EQ(import(yaml, folder_ / "w.pt", "run.yaml"), tiny);
  EXPECT_EQ(format::read_model_folder(folder_ / "model").tensors.by_name.at("classifier.bias").dtype,
            format::DType::kF16);
  fs::remove_all(folder_ / "model");
  EXPECT_EQ(import("{}", folder_ / "w.pt").num_attention_heads, 3) << "192 is the width of tiny";
}

/// A released checkpoint: its configuration, and the shapes that tell it from others.
struct Released {
  const char* config;
  std::int64_t kernel, num_classes;
};
constexpr Released kReleased[] = {{"image_tiff", 32, 1000},      {"jpeg_q100_k8", 8, 1000},
                                  {"jpeg_q60_k4_w128", 4, 1000}, {"order_reverse", 32, 1000},
                                  {"obfuscation_20", 32, 1000},  {"camera_0.05_k4", 4, 1000},
                                  {"wav_float32_k32", 32, 12},   {"mp3_k4_w32", 4, 12}};

TEST_F(ImportTest, TheReleasedCheckpointsHaveTheShapesOfTheirConfigurations) {
  for (const Released& released : kReleased) {
    const std::string yaml = test::read_file(data_path("published") / (std::string(released.config) + ".yaml"));
    ModelConfig expected = format::complete(parse_published_yaml(yaml, "t"), "t");
    expected.masking = Masking::kReleased;
    write_zeros(folder_ / "w.pt", expected);
    EXPECT_EQ(import(yaml, folder_ / "w.pt", "run.yaml"), expected) << released.config;
    const auto model = format::read_model_folder(folder_ / "model");
    const auto shape_of = [&](const char* name) { return model.tensors.by_name.at(name).shape; };
    using Shape = std::vector<std::int64_t>;
    EXPECT_EQ(shape_of("embeddings.weight"), (Shape{257, 192}));
    EXPECT_EQ(shape_of("token_reduction_net.weight"), (Shape{192, 192, released.kernel}));
    EXPECT_EQ(shape_of("pos_embed.pos_embed.pos_embed"), (Shape{1, 1, 50'000, 192}));
    EXPECT_EQ(shape_of("transformer.11.pre_norm_mha.1.qkv_proj.weight"), (Shape{576, 192}));
    EXPECT_EQ(shape_of("transformer.11.pre_norm_ffn.1.weight"), (Shape{768, 192}));
    EXPECT_EQ(shape_of("downsamplers.downsample_9.reduction.weight"), (Shape{192, 384}));
    EXPECT_EQ(shape_of("classifier.weight"), (Shape{released.num_classes, 192}));
    fs::remove_all(folder_ / "model");
  }
}

TEST_F(ImportTest, APublishedConfigurationOfOtherWeightsIsNamed) {
  const std::string yaml = test::read_file(data_path("published/mp3_k4_w32.yaml"));
  write_zeros(folder_ / "w.pt", format::complete(parse_published_yaml(yaml, "t"), "t"));
  const auto expect_contradiction = [&](const char* name, std::initializer_list<std::string_view> parts) {
    const std::string other = test::read_file(data_path("published") / (std::string(name) + ".yaml"));
    expect_error(ErrorCode::kInvalidModel, parts, [&] { import(other, folder_ / "w.pt", "run.yaml"); });
  };
  expect_contradiction("wav_uint8_k8",
                       {"run.yaml says conv_kernel_size 8", "w.pt has token_reduction_net.weight", "[192, 192, 4]"});
  expect_contradiction("jpeg_q60_k4_w32", {"num_labels (YAML: n_classes) 1000", "classifier.weight [12, 192]"});
}

TEST_F(ImportTest, TheOptionForMaskingWins) {
  masking_ = Masking::kMasked;
  EXPECT_EQ(import(R"({"num_attention_heads": 3, "masking": "released"})").masking, Masking::kMasked);
  fs::remove_all(folder_ / "model");
  masking_.reset();
  EXPECT_EQ(import(R"({"num_attention_heads": 3, "masking": "masked"})").masking, Masking::kMasked);
}

TEST_F(ImportTest, TheLabelsFileWins) {
  labels_ = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
  EXPECT_EQ(import(R"({"num_attention_heads": 3, "id2label": {"0": "x"}})").labels[9], "j");
}

TEST_F(ImportTest, LabelsThatDoNotMatchAreCounted) {
  labels_ = "cat\ndog\nbird\n";
  expect_refused(R"({"num_attention_heads": 3})", {"labels.txt", "has 3 labels", "weights.pt tells 10 classes"});
}

TEST_F(ImportTest, ContradictionsNameBothSides) {
  const auto with = [](const std::string& key, const std::string& value) {
    return R"({"num_attention_heads": 3, ")" + key + "\": " + value + "}";
  };
  expect_refused(with("hidden_size", "192"),
                 {"config.json says hidden_size", "192", "weights.pt has embeddings.weight [257, 48]"});
  expect_refused(with("vocab_size", "300"), {"vocab_size 300", "embeddings.weight [257, 48]"});
  expect_refused(with("num_hidden_layers", "12"), {"num_hidden_layers (YAML: mode) 12", "4 layers"});
  expect_refused(with("intermediate_size", "100"), {"intermediate_size", "100", "pre_norm_ffn.1.weight [192, 48]"});
  expect_refused(with("conv_kernel_size", "8"), {"conv_kernel_size 8", "token_reduction_net.weight [48, 48, 4]"});
  expect_refused(with("conv_kernel_size", "0"), {"conv_kernel_size 0", "token_reduction_net.weight [48, 48, 4]"});
  expect_refused(with("max_position_embeddings", "50000"),
                 {"max_num_tokens) 50000", "pos_embed.pos_embed.pos_embed [1, 1, 700, 48]"});
  expect_refused(with("num_labels", "1000"), {"n_classes) 1000", "classifier.weight [10, 48]"});
  expect_refused(with("id2label", "{\"0\": \"a\"}"), {"id2label with 1 labels", "classifier.weight [10, 48]"});
  expect_refused(with("downsample", "[false, false, false, false]"),
                 {"downsample[", "is false", "the tensor downsamplers"});
  expect_refused(with("downsample", "[true, true, true, true]"), {"is true", "no tensor downsamplers"});
  expect_refused(with("window_sizes", "[32]"), {"window_sizes has 1 entries", "4 layers"});
  expect_refused("{}", {"num_attention_heads is missing", "hidden_size 48"});
}

TEST_F(ImportTest, OtherWeightsAreNoByteFormer) {
  expect_error(ErrorCode::kInvalidModel,
               {"training.pt", "no tensor embeddings.weight", "2 tensors begin with module.bias"},
               [&] { import("{}", data_path("checkpoints/training.pt")); });
}

TEST_F(ImportTest, SinusoidalPositionsMayBeAbsent) {
  auto tensors = read_weights(data_path("models/k32_w64_sinusoidal/weights.pt"));
  tensors.by_name.erase("pos_embed.pos_embed.pos_embed");
  write_pt(folder_ / "w.pt", tensors.by_name);
  const std::string heads = R"({"num_attention_heads": 3)";
  EXPECT_EQ(import(heads + R"(, "position_embedding_type": "sinusoidal"})", folder_ / "w.pt").max_position_embeddings,
            10'000);
  fs::remove_all(folder_ / "model");
  expect_error(ErrorCode::kInvalidModel, {"no tensor pos_embed", "does not say that positions are sinusoidal"},
               [&] { import(heads + "}", folder_ / "w.pt"); });
}

TEST_F(ImportTest, ExportComputesTheSinusoidalBuffer) {
  const auto golden = read_weights(data_path("models/k32_w64_sinusoidal/weights.pt"));
  auto tensors = golden.by_name;
  tensors.erase("pos_embed.pos_embed.pos_embed");
  write_pt(folder_ / "w.pt", tensors);
  import(test::read_file(data_path("models/k32_w64_sinusoidal/config.json")), folder_ / "w.pt");
  export_model(folder_ / "model", ExportFormat::kPt, folder_ / "out.pt");
  const auto exported = read_weights(folder_ / "out.pt");
  ASSERT_EQ(exported.by_name.size(), golden.by_name.size());
  const std::string name = "pos_embed.pos_embed.pos_embed";
  const auto expected = format::to_float32(golden.by_name.at(name), name);
  const auto actual = format::to_float32(exported.by_name.at(name), name);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1.2e-7) << i;
}

TEST_F(ImportTest, UnexpectedAndBrokenTensorsAreNamed) {
  auto tensors = read_weights(data_path("models/k4_w32/weights.pt"));
  const auto original = tensors.by_name;
  tensors.by_name.emplace("extra.num_batches_tracked",
                          format::TensorView{format::DType::kI64, {}, test::as_bytes("01234567")});
  write_pt(folder_ / "w.pt", tensors.by_name);
  expect_error(ErrorCode::kInvalidModel, {"w.pt", "extra.num_batches_tracked []"},
               [&] { import(R"({"num_attention_heads": 3})", folder_ / "w.pt"); });
  tensors.by_name = original;
  std::string nan(40, '\0');
  nan.replace(8, 4, "\xFF\xFF\xFF\x7F");
  tensors.by_name.at("classifier.bias").bytes = test::as_bytes(nan);
  write_pt(folder_ / "w.pt", tensors.by_name);
  expect_error(ErrorCode::kInvalidModel, {"w.pt", "classifier.bias", "NaN"},
               [&] { import(R"({"num_attention_heads": 3})", folder_ / "w.pt"); });
}

TEST_F(ImportTest, AnOutputThatExistsIsKept) {
  fs::create_directory(folder_ / "model");
  test::write_file(folder_ / "model" / "precious", "x");
  expect_error(ErrorCode::kAlreadyExists, {"model"}, [&] { import(R"({"num_attention_heads": 3})"); });
  EXPECT_EQ(test::read_file(folder_ / "model" / "precious"), "x");
}

TEST_F(ImportTest, ExportGoesBack) {
  import(test::read_file(data_path("models/k4_w32/config.json")));
  const auto original = read_weights(data_path("models/k4_w32/weights.pt"));
  export_model(folder_ / "model", ExportFormat::kPt, folder_ / "out.pt");
  export_model(folder_ / "model", ExportFormat::kSafetensors, folder_ / "out.safetensors");
  for (const char* name : {"out.pt", "out.safetensors"}) {
    const auto exported = read_weights(folder_ / name);
    ASSERT_EQ(exported.by_name.size(), original.by_name.size());
    for (const auto& [tensor_name, tensor] : original.by_name)
      EXPECT_TRUE(std::ranges::equal(exported.by_name.at(tensor_name).bytes, tensor.bytes)) << tensor_name;
  }
}

TEST_F(ImportTest, TellsYamlFromJson) {
  const auto kernel_of = [&](const std::string& name, const std::string& text) {
    test::write_file(folder_ / name, text);
    return read_any_config(folder_ / name).conv_kernel_size;
  };
  const std::string yaml = "model.classification.byteformer.conv_kernel_size: 8\n";
  EXPECT_EQ(kernel_of("a.yaml", yaml), 8);
  EXPECT_EQ(kernel_of("a.yml", "{" + yaml + "}"), 8);
  EXPECT_EQ(kernel_of("a", "# comment\n" + yaml), 8);
  EXPECT_EQ(kernel_of("a", " {\"conv_kernel_size\": 8}"), 8);
  EXPECT_EQ(kernel_of("a.json", "{\"conv_kernel_size\": 8}"), 8);
  expect_error(ErrorCode::kInvalidFormat, {"a.json", "not valid JSON"}, [&] { kernel_of("a.json", yaml); });
}

}  // namespace
}  // namespace byteformer::interop
