// Safetensors: the way there and back, and everything a hostile header can claim.
#include "format/safetensors.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "format/json.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::format {
namespace {

using test::expect_error;
using test::little_endian;

std::string file_of(const std::string& header, std::size_t num_data_bytes) {
  return little_endian(header.size(), 8) + header + std::string(num_data_bytes, 'd');
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

void expect_refused(const std::string& header, std::size_t num_data_bytes,
                    std::initializer_list<std::string_view> parts, ErrorCode code = ErrorCode::kInvalidFormat) {
  const std::string file = file_of(header, num_data_bytes);
  test::expect_error_about("w.safetensors", code, parts,
                           [&] { parse_safetensors(test::as_bytes(file), "w.safetensors"); });
}

TEST(SafetensorsTest, ReadsTensorsAndMetadata) {
  const std::string file = file_of("{\"__metadata__\":{\"format\":\"pt\"},\"b\":" + entry("F16", "[2,1]", "[8,12]") +
                                       ",\"a\":" + entry("F32", "[2]", "[0,8]") +
                                       ",\"none\":" + entry("I64", "[0,5]", "[12,12]") + "}      ",
                                   12);
  const Tensors tensors = parse_safetensors(test::as_bytes(file), "t");
  ASSERT_EQ(tensors.by_name.size(), 3U);
  EXPECT_EQ(tensors.by_name.at("a").bytes.data(), test::as_bytes(file).data() + file.size() - 12);
  EXPECT_EQ(tensors.by_name.at("b").dtype, DType::kF16);
  EXPECT_EQ(tensors.by_name.at("b").shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(tensors.by_name.at("none").num_elements(), 0);
  EXPECT_EQ(tensors.file, nullptr);
}

TEST(SafetensorsTest, ReadsAFileThatPythonWrote) {
  const Tensors stages = read_safetensors(test::data_path("models/k4_w32/stages.safetensors"));
  EXPECT_NE(stages.file, nullptr);
  EXPECT_EQ(stages.by_name.at("pooled").shape, (std::vector<std::int64_t>{48}));
  EXPECT_EQ(to_float32(stages.by_name.at("logits"), "logits").size(), 10U);
}

TEST(SafetensorsTest, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  const std::string data = "0123456789abcdefghij";
  const auto bytes = test::as_bytes(data);
  const std::map<std::string, TensorView, std::less<>> tensors{{"half", {DType::kF16, {3}, bytes.first(6)}},
                                                               {"a \"name\"", {DType::kF32, {1, 2}, bytes.first(8)}},
                                                               {"byte", {DType::kU8, {}, bytes.first(1)}},
                                                               {"empty", {DType::kF32, {0}, {}}}};
  write_safetensors(folder / "x", tensors, {{"k", "v"}});
  const Tensors found = read_safetensors(folder / "x");
  ASSERT_EQ(found.by_name.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const TensorView& other = found.by_name.at(name);
    EXPECT_EQ(other.dtype, tensor.dtype);
    EXPECT_EQ(other.shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(other.bytes, tensor.bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(other.bytes.data()) % size_of(tensor.dtype), 0U) << name;
  }
  write_safetensors(folder / "y", found.by_name, {{"k", "v"}});
  test::expect_error(ErrorCode::kAlreadyExists, {"y: exists already"},
                     [&] { write_safetensors(folder / "y", found.by_name, {}, {.replaces = false}); });
  EXPECT_EQ(test::read_file(folder / "x"), test::read_file(folder / "y"));
}

TEST(SafetensorsTest, RefusesAHeaderThatCannotBe) {
  const auto refuse = [](const std::string& file, std::string_view part) {
    expect_error(ErrorCode::kInvalidFormat, {"w", part}, [&] { parse_safetensors(test::as_bytes(file), "w"); });
  };
  refuse("", "has 0 bytes");
  refuse("1234567", "has 7 bytes");
  refuse(little_endian(3, 8) + "{}", "3 bytes, 2 follow");
  refuse(little_endian(UINT64_MAX, 8) + "{}", "18446744073709551615");
  refuse(little_endian(100'000'001, 8) + std::string(100'000'001, ' '), "at most 100000000");
  refuse(little_endian(3, 8) + " {}", "expected \"{\"");
  refuse(little_endian(0, 8), "expected \"{\"");
  refuse(little_endian(2, 8) + "[]", "expected \"{\"");
  refuse(little_endian(3, 8) + "{}x", "not valid JSON");
}

TEST(SafetensorsTest, RefusesTensorsThatCannotBe) {
  expect_refused("{\"a\":3}", 0, {"tensor a", "3, expected an object"});
  expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, {"tensor a", "expected an object of"});
  expect_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"offsets\":[]}}", 0, {"tensor a", "data_offsets is missing"});
  expect_refused("{\"a\":" + entry("F8", "[1]", "[0,1]") + "}", 1, {"tensor a", "F8"}, ErrorCode::kUnsupported);
  expect_refused("{\"a\":" + entry("F32", "[-1]", "[0,4]") + "}", 4, {"tensor a", "shape", "-1"});
  expect_refused("{\"a\":" + entry("F32", "[1.0]", "[0,4]") + "}", 4, {"tensor a", "shape"});
  expect_refused("{\"a\":" + entry("F32", "4", "[0,4]") + "}", 4, {"tensor a", "shape is 4"});
  expect_refused("{\"a\":" + entry("F32", "[4294967296,4294967296]", "[0,4]") + "}", 4, {"too large to count"});
  expect_refused("{\"a\":" + entry("F32", "[18446744073709551615]", "[0,4]") + "}", 4, {"shape"});
  expect_refused("{\"a\":" + entry("F32", "[1]", "[0,8]") + "}", 8, {"span 8 bytes", "needs 4"});
  expect_refused("{\"a\":" + entry("F32", "[1]", "[4,0]") + "}", 4, {"[4, 0]"});
  expect_refused("{\"a\":" + entry("F32", "[2]", "[0,8]") + "}", 4, {"[0, 8]", "4 bytes of data"});
  expect_refused("{\"a\":" + entry("F32", "[1]", "[0]") + "}", 4, {"[begin, end]"});
  expect_refused("{\"a\":" + entry("F32", "[1]", "[0,4]") + ",\"a\":" + entry("F32", "[1]", "[0,4]") + "}", 4,
                 {"twice"});
  expect_refused("{\"__metadata__\":{\"a\":1}}", 0, {"__metadata__", "expected a string"});
}

TEST(SafetensorsTest, RefusesGapsAndOverlap) {
  const auto two = [](const std::string& first, const std::string& second) {
    return "{\"a\":" + entry("F32", "[1]", first) + ",\"b\":" + entry("F32", "[1]", second) + "}";
  };
  EXPECT_NO_THROW(parse_safetensors(test::as_bytes(file_of(two("[4,8]", "[0,4]"), 8)), "t"));
  expect_refused(two("[0,4]", "[2,6]"), 6, {"tensor b", "inside the tensor before"});
  expect_refused(two("[0,4]", "[0,4]"), 4, {"tensor b", "inside the tensor before"});
  expect_refused(two("[0,4]", "[5,9]"), 9, {"tensor b", "after a gap"});
  expect_refused(two("[1,5]", "[5,9]"), 9, {"tensor a", "after a gap"});
  expect_refused(two("[0,4]", "[4,8]"), 9, {"9 bytes of data", "take 8"});
}

TEST(SafetensorsTest, MissingFilesAndFoldersAreNamed) {
  const test::TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, {"nothing"}, [&] { read_safetensors(folder / "nothing"); });
  expect_error(ErrorCode::kNotARegularFile, {"directory"}, [&] { read_safetensors(folder.path()); });
}

}  // namespace
}  // namespace byteformer::format
