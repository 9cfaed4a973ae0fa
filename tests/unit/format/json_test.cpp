// The strict JSON reader.
#include "format/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.hpp"

namespace byteformer::format {
namespace {

using test::expect_error;

TEST(JsonTest, ReadsEveryKindOfValue) {
  const Json root = parse_json(R"( {"a": [1, -2, 2.5, "x", true, null, {}], "b": {"c": [[]]}, "d": ""} )", "t");
  EXPECT_EQ(root.dump(), R"({"a":[1,-2,2.5,"x",true,null,{}],"b":{"c":[[]]},"d":""})");
}

TEST(JsonTest, RefusesDuplicateKeysAtEveryDepth) {
  expect_error(ErrorCode::kInvalidFormat, {"t", "\"a\"", "twice"}, [] { parse_json(R"({"a": 1, "a": 1})", "t"); });
  expect_error(ErrorCode::kInvalidFormat, {"\"b\""}, [] { parse_json(R"([{"x": {"b": 1, "c": 2, "b": 3}}])", "t"); });
  EXPECT_NO_THROW(parse_json(R"([{"a": 1}, {"a": {"a": 1}}])", "t"));
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const std::string text : {"", "{", "[1,]", "{} {}", "{}x", "nan", "[1e999]", "'a'", "// c\n1", "{\"a\" 1}",
                                 "\"\x01\"", "\"\xFF\"", "[01]", "{\"a\":1,}"})
    expect_error(ErrorCode::kInvalidFormat, {"t: is not valid JSON"}, [&] { parse_json(text, "t"); });
}

TEST(JsonTest, RefusesTextAfterAZeroByte) {
  expect_error(ErrorCode::kInvalidFormat, {"zero byte"}, [] { parse_json(std::string("{}\0garbage", 10), "t"); });
}

TEST(JsonTest, SaysWhereTheErrorIs) {
  expect_error(ErrorCode::kInvalidFormat, {"line 2", "column 7"}, [] { parse_json("{\"a\": 1,\n \"b\": x}", "t"); });
}

TEST(JsonTest, QuotesNoLongOrBrokenInputInItsMessage) {
  try {
    parse_json("\"" + std::string(100'000, 'x') + "\xFF", "t");
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string_view(error.what()).size(), 500U);
  }
}

TEST(JsonTest, KeepsToItsLimits) {
  const JsonLimits limits{.max_depth = 3, .max_values = 10};
  EXPECT_NO_THROW(parse_json("[[[1]]]", "t", limits));
  expect_error(ErrorCode::kInvalidFormat, {"deeper than 3"}, [&] { parse_json("[[[[1]]]]", "t", limits); });
  EXPECT_NO_THROW(parse_json("[1,2,3,4,5,6,7,8,9]", "t", limits));
  expect_error(ErrorCode::kInvalidFormat, {"more than 10"}, [&] { parse_json("[1,2,3,4,5,6,7,8,9,10]", "t", limits); });
  expect_error(ErrorCode::kInvalidFormat, {"deeper than 64"}, [] { parse_json(std::string(1'000'000, '['), "t"); });
}

TEST(JsonTest, StringsKeepTheirQuotesAndRefuseOtherBytes) {
  EXPECT_EQ(json_string("a\"b\n"), R"("a\"b\n")");
  expect_error(ErrorCode::kInvalidModel, {"UTF-8"}, [] { json_string("\xFF"); });
}

}  // namespace
}  // namespace byteformer::format
