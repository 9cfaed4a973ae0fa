// Checkpoints that PyTorch wrote, and those that we write.
#include "interop/checkpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "format/safetensors.hpp"
#include "interop/zip.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::interop {
namespace {

using format::DType;
using test::data_path;
using test::expect_error;

std::vector<float> ramp(int count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

void expect_tensor(const format::Tensors& tensors, const std::string& name, const std::vector<std::int64_t>& shape,
                   const std::vector<float>& values) {
  ASSERT_TRUE(tensors.by_name.contains(name)) << name;
  const format::TensorView& tensor = tensors.by_name.at(name);
  EXPECT_EQ(tensor.shape, shape) << name;
  EXPECT_EQ(format::to_float32(tensor, name), values) << name;
}

void expect_same(const format::Tensors& found, const format::Tensors& expected) {
  ASSERT_EQ(found.by_name.size(), expected.by_name.size());
  for (const auto& [name, tensor] : expected.by_name) {
    const format::TensorView& other = found.by_name.at(name);
    EXPECT_EQ(other.dtype, tensor.dtype) << name;
    EXPECT_EQ(other.shape, tensor.shape) << name;
    EXPECT_TRUE(std::ranges::equal(other.bytes, tensor.bytes)) << name;
  }
}

class LayoutsTest : public testing::TestWithParam<const char*> {};

TEST_P(LayoutsTest, ReadsEveryWayATensorMayLieInItsStorage) {
  const format::Tensors tensors = read_weights(data_path(GetParam()));
  EXPECT_EQ(tensors.by_name.size(), 16U);
  EXPECT_EQ(tensors.file, nullptr) << "some tensors are copies";
  expect_tensor(tensors, "whole", {4, 6}, ramp(24));
  expect_tensor(tensors, "transposed", {6, 4},
                {0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23});
  expect_tensor(tensors, "sliced", {2, 3}, {6, 8, 10, 12, 14, 16});
  expect_tensor(tensors, "row", {6}, {12, 13, 14, 15, 16, 17});
  expect_tensor(tensors, "expanded", {2, 5}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 1});
  expect_tensor(tensors, "permuted", {4, 2, 3},
                {0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23});
  expect_tensor(tensors, "scalar", {}, {7.5F});
  expect_tensor(tensors, "empty", {0, 3}, {});
  expect_tensor(tensors, "tied_a", {3}, ramp(3));
  EXPECT_EQ(tensors.by_name.at("tied_a").bytes.data(), tensors.by_name.at("tied_b").bytes.data());
  expect_tensor(tensors, "parameter", {2, 2}, ramp(4));
  expect_tensor(tensors, "half", {2, 2}, ramp(4));
  expect_tensor(tensors, "bfloat", {2, 2}, ramp(4));
  EXPECT_EQ(tensors.by_name.at("half").dtype, DType::kF16);
  EXPECT_EQ(tensors.by_name.at("bfloat").dtype, DType::kBF16);
  EXPECT_EQ(tensors.by_name.at("double").dtype, DType::kF64);
  EXPECT_EQ(tensors.by_name.at("flags").dtype, DType::kBool);
  EXPECT_EQ(tensors.by_name.at("num_batches_tracked").dtype, DType::kI64);
  EXPECT_EQ(tensors.by_name.at("num_batches_tracked").bytes[0], std::byte{123});
}

INSTANTIATE_TEST_SUITE_P(Protocols, LayoutsTest,
                         testing::Values("checkpoints/layouts.pt", "checkpoints/layouts_protocol4.pt"));

TEST(CheckpointTest, FindsTheWeightsOfATrainingCheckpoint) {
  const format::Tensors tensors = read_weights(data_path("checkpoints/training.pt"));
  EXPECT_EQ(tensors.by_name.size(), 2U);
  EXPECT_NE(tensors.file, nullptr);
  expect_tensor(tensors, "module.weight", {2, 3}, ramp(6));
  expect_tensor(tensors, "module.bias", {2}, ramp(2));
}

TEST(CheckpointTest, RefusesWhatItCannotTrust) {
  expect_error(ErrorCode::kUnsupported, {"hostile.pt", "posix.system", "nothing was executed"},
               [] { read_weights(data_path("checkpoints/hostile.pt")); });
  EXPECT_FALSE(std::filesystem::exists("/tmp/byteformer-was-here"));
  expect_error(ErrorCode::kUnsupported, {"compressed.pt", "method 8"},
               [] { read_weights(data_path("checkpoints/compressed.pt")); });
  expect_error(ErrorCode::kUnsupported, {"legacy.pt", "before 1.6"},
               [] { read_weights(data_path("checkpoints/legacy.pt")); });
  expect_error(ErrorCode::kInvalidFormat, {"config.json", "neither"},
               [] { read_weights(data_path("models/d_k0/config.json")); });
  expect_error(ErrorCode::kNotFound, {"nothing.pt"}, [] { read_weights(data_path("nothing.pt")); });
}

TEST(CheckpointTest, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  for (const char* name : {"checkpoints/layouts.pt", "models/k32_w64_sinusoidal/weights.pt"}) {
    const format::Tensors original = read_weights(data_path(name));
    write_pt(folder / "w.pt", original.by_name);
    expect_same(read_weights(folder / "w.pt"), original);
    const std::string first = test::read_file(folder / "w.pt");
    write_pt(folder / "w.pt", read_weights(folder / "w.pt").by_name);
    EXPECT_EQ(test::read_file(folder / "w.pt"), first);
  }
}

TEST(CheckpointTest, ReadsSafetensorsToo) {
  const test::TemporaryFolder folder;
  const format::Tensors original = read_weights(data_path("models/d_k0/weights.pt"));
  std::map<std::string, format::TensorView, std::less<>> wrapped;
  for (const auto& [name, tensor] : original.by_name) wrapped.emplace("module." + name, tensor);
  format::write_safetensors(folder / "any-name", wrapped);
  expect_same(read_weights(folder / "any-name"), original);
}

TEST(CheckpointTest, TakesOffWhatWrappersPutBeforeAllNames) {
  const test::TemporaryFolder folder;
  const format::Tensors original = read_weights(data_path("models/d_k0/weights.pt"));
  const format::TensorView counter{DType::kI64, {}, test::as_bytes(std::string_view("5\0\0\0\0\0\0\0", 8))};
  for (const std::string prefix : {"", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.",
                                   "model.model.", "net.encoder."}) {
    std::map<std::string, format::TensorView, std::less<>> wrapped{{prefix + "total_ops", counter},
                                                                   {prefix + "classifier.total_params", counter}};
    if (!prefix.empty()) wrapped.emplace("n_averaged", counter);
    for (const auto& [name, tensor] : original.by_name) wrapped.emplace(prefix + name, tensor);
    write_pt(folder / "w.pt", wrapped);
    expect_same(read_weights(folder / "w.pt"), original);
  }
  std::map<std::string, format::TensorView, std::less<>> two_models;
  for (const auto& [name, tensor] : original.by_name) {
    two_models.emplace("model." + name, tensor);
    two_models.emplace("ema." + name, tensor);
  }
  write_pt(folder / "w.pt", two_models);
  expect_error(ErrorCode::kInvalidFormat, {"w.pt", "two models", "ema.*", "model.*"},
               [&] { read_weights(folder / "w.pt"); });
}

TEST(CheckpointTest, ReadsSafetensorsInShards) {
  const test::TemporaryFolder folder;
  const format::Tensors original = read_weights(data_path("models/d_k0/weights.pt"));
  std::map<std::string, format::TensorView, std::less<>> shards[2];
  std::string map;
  for (const auto& [name, tensor] : original.by_name) {
    const std::size_t shard = map.size() / 7 % 2;
    shards[shard].emplace(name, tensor);
    map += (map.empty() ? "\"" : ",\"") + name + "\":\"w-" + std::to_string(shard) + ".safetensors\"";
  }
  for (const int i : {0, 1}) format::write_safetensors(folder / ("w-" + std::to_string(i) + ".safetensors"), shards[i]);
  const auto index = folder / "model.safetensors.index.json";
  test::write_file(index, "{\"metadata\":{\"total_size\":1},\"weight_map\":{" + map + "}}");
  expect_same(read_weights(index), original);
  const auto expect_bad_index = [&](const std::string& json, std::initializer_list<std::string_view> parts,
                                    ErrorCode code = ErrorCode::kInvalidFormat) {
    test::write_file(index, json);
    expect_error(code, parts, [&] { read_weights(index); });
  };
  expect_bad_index("{", {"index.json"});
  expect_bad_index("[]", {"no object weight_map"});
  expect_bad_index(R"({"weight_map":{"a":"../w-0.safetensors"}})", {"weight_map[\"a\"]", "beside the index"});
  expect_bad_index(R"({"weight_map":{"a":1}})", {"weight_map[\"a\"] is 1"});
  expect_bad_index(R"({"weight_map":{"a":"w-0.safetensors"}})", {"w-0.safetensors: has no tensor a"});
  expect_bad_index(R"({"weight_map":{"a":"w-2.safetensors"}})", {"w-2.safetensors"}, ErrorCode::kNotFound);
}

TEST(CheckpointTest, ReadsEveryGolden) {
  for (const auto& model : std::filesystem::directory_iterator(data_path("models"))) {
    const format::Tensors tensors = read_weights(model.path() / "weights.pt");
    EXPECT_NE(tensors.file, nullptr);
    EXPECT_TRUE(tensors.by_name.contains("embeddings.weight"));
  }
}

/// A checkpoint of `pickle` and further entries, as bytes.
std::string checkpoint(const std::string& pickle,
                       const std::vector<std::pair<std::string, std::string>>& entries = {}) {
  std::string out;
  ZipWriter zip([&out](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  zip.add("x/data.pkl", test::as_bytes(pickle));
  for (const auto& [name, content] : entries) zip.add(name, test::as_bytes(content));
  zip.finish();
  return out;
}

/// The pickle of {"t": tensor}, six floats in storage "0", with these offset, shape and strides in opcodes.
std::string tensor_pickle(const std::string& offset, const std::string& shape, const std::string& strides) {
  return "\x80\x02}\x8C\x01tctorch._utils\n_rebuild_tensor_v2\n((\x8C\x07storagectorch\nFloatStorage\n\x8C\x01"
         "0\x8C\x03"
         "cpuK\x06tQ" +
         offset + shape + strides + "\x89NtRs.";
}

void expect_refused(const std::string& bytes, std::initializer_list<std::string_view> parts,
                    ErrorCode code = ErrorCode::kInvalidFormat) {
  expect_error(code, parts, [&] { parse_pt(test::as_bytes(bytes), "x.pt"); });
}

const std::vector<std::pair<std::string, std::string>> kSixFloats{{"x/data/0", std::string(24, 'f')}};
const std::string kZero("K\0", 2);
const std::string kHuge = "\x8A\x08" + test::little_endian(INT64_MAX, 8);

TEST(CheckpointTest, ChecksEveryReachableElement) {
  const auto refuse = [](const std::string& offset, const std::string& shape, const std::string& strides) {
    expect_refused(checkpoint(tensor_pickle(offset, shape, strides), kSixFloats),
                   {"x.pt", "tensor t", "beyond its storage of 6"});
  };
  const std::string fits = checkpoint(tensor_pickle(kZero, "K\x02K\x03\x86", "K\x03K\x01\x86"), kSixFloats);
  EXPECT_EQ(parse_pt(test::as_bytes(fits), "t").by_name.at("t").num_elements(), 6);
  refuse("K\x01", "K\x02K\x03\x86", "K\x03K\x01\x86");
  refuse(kZero, "K\x02K\x03\x86", "K\x04K\x01\x86");
  refuse(kZero, "K\x07\x85", "K\x01\x85");
  refuse("K\x06", ")", ")");
  refuse("K\x07", kZero + "\x85", "K\x01\x85");
  refuse(kHuge, "K\x01\x85", "K\x01\x85");
  refuse(kZero, kHuge + "\x85", "K\x01\x85");
  refuse(kZero, "K\x02\x85", kHuge + "\x85");
  refuse(kZero, kHuge + kHuge + "\x86", kHuge + kHuge + "\x86");
  refuse("K\x01", "K\x02K\x02K\x02\x87", kHuge + kHuge + "K\x02\x87");
}

TEST(CheckpointTest, BoundsWhatAStrideOfZeroMakes) {
  const std::string zero_stride = kZero + "\x85";
  const std::string million = "J" + test::little_endian(1'000'000, 4) + "\x85";
  const std::string fine = checkpoint(tensor_pickle("K\x05", million, zero_stride), kSixFloats);
  const format::Tensors tensors = parse_pt(test::as_bytes(fine), "t");
  EXPECT_EQ(tensors.by_name.at("t").num_elements(), 1'000'000);
  EXPECT_NE(tensors.storage, nullptr);
  expect_refused(checkpoint(tensor_pickle(kZero, kHuge + "\x85", zero_stride), kSixFloats),
                 {"tensor t", "would unfold"});
  const std::string billion = "J" + test::little_endian(1'000'000'000, 4) + "\x85";
  expect_refused(checkpoint(tensor_pickle(kZero, billion, zero_stride), kSixFloats), {"tensor t", "would unfold"});
}

TEST(CheckpointTest, RefusesStoragesThatDoNotFit) {
  const std::string pickle = tensor_pickle(kZero, "K\x06\x85", "K\x01\x85");
  expect_refused(checkpoint(pickle), {"no entry x/data/0"});
  expect_refused(checkpoint(pickle, {{"x/data/0", std::string(23, 'f')}}),
                 {"tensor t", "has 23 bytes", "6 elements of 4"});
  expect_refused(checkpoint(pickle, {{"x/data/0", std::string(28, 'f')}}), {"tensor t", "has 28 bytes"});
  expect_refused(checkpoint(tensor_pickle(kZero, "K\x06\x85", ")"), kSixFloats),
                 {"tensor t", "1 dimensions, but 0 strides"});
}

TEST(CheckpointTest, RefusesWhatIsNoStateDict) {
  expect_refused(checkpoint("\x80\x02K\x01."), {"x.pt", "an integer, expected a state dict"});
  expect_refused(checkpoint("\x80\x02}."), {"the state dict is empty"});
  expect_refused(checkpoint("\x80\x02}\x8C\x05"
                            "epochK\x03s."),
                 {"\"epoch\" is an integer", "model_state_dict"});
  expect_refused(checkpoint("\x80\x02}K\x01K\x03s."), {"a key is no string"});
  expect_refused(checkpoint("\x80\x02}\x8C\x05"
                            "epochcargparse\nNamespace\n)\x81s."),
                 {"\"epoch\" is an object of argparse.Namespace"});
  expect_refused(checkpoint("\x80\x02"
                            "cmodels\nNet\n)\x81}b."),
                 {"models.Net", "nothing was executed", "state_dict()"}, ErrorCode::kUnsupported);
  const std::string tensor = tensor_pickle(kZero, "K\x06\x85", "K\x01\x85");
  const std::string value = tensor.substr(6, tensor.size() - 8);
  expect_refused(checkpoint("\x80\x02}(\x8C\x01t" + value + "\x8C\x01t" + value + "u.", kSixFloats), {"has t twice"});
}

TEST(CheckpointTest, IgnoresObjectsBesideTheWeights) {
  const std::string tensor = tensor_pickle(kZero, "K\x06\x85", "K\x01\x85");
  const std::string weights = tensor.substr(2, tensor.size() - 3);  // {"t": ...}
  for (const std::string key : {"state_dict", "model_state_dict", "model", "weights", "module"}) {
    const std::string body =
        "}(\x8C\x04"
        "bestN\x8C" +
        std::string(1, static_cast<char>(key.size())) + key + weights +
        "\x8C\x04"
        "args"
        "cargparse\nNamespace\n)\x81}\x8C\x02lrNsbu.";
    const std::string bytes = checkpoint("\x80\x02" + body, kSixFloats);
    EXPECT_EQ(parse_pt(test::as_bytes(bytes), "t").by_name.at("t").num_elements(), 6) << key;
  }
  const std::string beside = "\x80\x02" + weights +
                             "\x8C\x04"
                             "bestNs.";
  const std::string bytes = checkpoint(beside, kSixFloats);
  EXPECT_EQ(parse_pt(test::as_bytes(bytes), "t").by_name.size(), 1U);
}

TEST(CheckpointTest, TellsTorchScriptByItsName) {
  const std::string pickle =
      "\x80\x02"
      "c__torch__\nNet\n)\x81}b.";
  expect_refused(checkpoint(pickle, {{"x/constants.pkl", "\x80\x02)."}, {"x/code/__torch__.py", "class Net"}}),
                 {"x.pt", "TorchScript", "torch.jit.load"}, ErrorCode::kUnsupported);
}

TEST(CheckpointTest, LooksAtTheArchiveItself) {
  const std::string pickle = tensor_pickle(kZero, "K\x06\x85", "K\x01\x85");
  auto entries = kSixFloats;
  entries.emplace_back("x/byteorder", "little");
  entries.emplace_back("x/.data/serialization_id", "1234");
  entries.emplace_back("x/version", "3\n");
  EXPECT_NO_THROW(parse_pt(test::as_bytes(checkpoint(pickle, entries)), "t"));
  entries[1].second = "big";
  expect_refused(checkpoint(pickle, entries), {"byte order \"big\""}, ErrorCode::kUnsupported);
  entries[1] = {"y/data.pkl", pickle};
  expect_refused(checkpoint(pickle, entries), {"two checkpoints", "x/", "y/"});
  std::string other = checkpoint(pickle);
  for (std::size_t at = 0; (at = other.find("data.pkl", at)) != std::string::npos; ++at) other[at] = 'D';
  expect_refused(other, {"without data.pkl"});
}

}  // namespace
}  // namespace byteformer::interop
