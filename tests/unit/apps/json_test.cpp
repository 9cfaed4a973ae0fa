// The JSON writer: text as it was, numbers that read back to the same bits.
#include "output/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstring>
#include <limits>
#include <random>

#include "base/text.hpp"
#include "support/json_string.hpp"

namespace byteformer::cli {
namespace {

using test::decode_json_string;

std::string json_string(std::string_view bytes) {
  std::string json;
  append_json_string(json, bytes);
  return json;
}

template <typename T>
std::string json_number(T number) {
  std::string json;
  append_json_number(json, number);
  return json;
}

TEST(JsonString, LeavesTextAlone) {
  EXPECT_EQ(json_string("photos/cat.jpg"), R"("photos/cat.jpg")");
  EXPECT_EQ(json_string("naïve 文字 😀"), R"("naïve 文字 😀")");
  EXPECT_EQ(json_string(""), R"("")");
}

TEST(JsonString, EscapesWhatJsonDemands) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\r\b\f\x01\x1f"), R"("a\"b\\c\n\t\r\b\f\u0001\u001f")");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonString, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(json_string("caf\xe9"), R"("caf\\xe9")");
  EXPECT_EQ(json_string("\xed\xb2\x80"), R"("\\xed\\xb2\\x80")");  // a surrogate in disguise
}

TEST(JsonString, CarriesRandomPaths) {
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 3 == 0 ? 0x80 + random() % 0x80 : random() % 256);
    const auto text = decode_json_string(json_string(base::escape_bytes(bytes)));
    ASSERT_TRUE(text);
    ASSERT_EQ(base::unescape_bytes(*text), bytes);
  }
}

TEST(JsonNumber, IsTheShortestThatReadsBack) {
  EXPECT_EQ(json_number(0.1F), "0.1");
  EXPECT_EQ(json_number(1.0F), "1");
  EXPECT_EQ(json_number(-0.0F), "-0");
  EXPECT_EQ(json_number(16777216.0F), "16777216");
  EXPECT_EQ(json_number(0.1), "0.1");
}

TEST(JsonNumber, ReadsBackToTheSameFloatForRandomBits) {
  std::mt19937 random(11);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(random());
    float number = 0;
    std::memcpy(&number, &bits, sizeof(number));
    if (!std::isfinite(number)) continue;
    const std::string json = json_number(number);
    float read_back = 0;
    ASSERT_EQ(std::from_chars(json.data(), json.data() + json.size(), read_back).ptr, json.data() + json.size());
    ASSERT_EQ(std::memcmp(&read_back, &number, sizeof(number)), 0) << json;
  }
}

TEST(JsonNumber, IsNullWhereJsonHasNoNumber) {
  EXPECT_EQ(json_number(std::numeric_limits<float>::quiet_NaN()), "null");
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, KeepsTheOrderOfKeys) {
  JsonWriter json;
  json.begin_object().field("z", 1).field("a", "text").field("m", true);
  json.key("list").begin_array().value(0.5F).value(2).begin_object().end_object().end_array();
  json.key("empty").begin_array().end_array().field("last", std::int64_t{1} << 62).end_object();
  EXPECT_EQ(json.text(), R"({"z":1,"a":"text","m":true,"list":[0.5,2,{}],"empty":[],"last":4611686018427387904})");
}

}  // namespace
}  // namespace byteformer::cli
