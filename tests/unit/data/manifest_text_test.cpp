// Parsing manifests: what is accepted, and that errors name the line.
#include "data/manifest_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace byteformer::data {
namespace {

using test::expect_error;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> csv(std::string_view text) {
  std::vector<std::string> rows;
  for (const auto& entry : parse_csv_manifest(text, "t.csv").entries)
    rows.push_back(std::to_string(entry.line) + ' ' + entry.path + " -> " + entry.label);
  return rows;
}

std::vector<std::string> json(std::string_view text) {
  std::vector<std::string> rows;
  for (const auto& entry : parse_json_manifest(text, "t.jsonl").entries)
    rows.push_back(std::to_string(entry.line) + ' ' + entry.path + " -> " + entry.label);
  return rows;
}

void expect_csv_error(std::string_view text, std::initializer_list<std::string_view> parts) {
  expect_error(ErrorCode::kInvalidFormat, parts, [&] { parse_csv_manifest(text, "t.csv"); });
}

void expect_json_error(std::string_view text, std::initializer_list<std::string_view> parts) {
  expect_error(ErrorCode::kInvalidFormat, parts, [&] { parse_json_manifest(text, "t.jsonl"); });
}

TEST(CsvManifestTest, ReadsRowsWithAndWithoutAHeader) {
  EXPECT_THAT(csv("a.wav,yes\nb.wav,no\n"), ElementsAre("1 a.wav -> yes", "2 b.wav -> no"));
  EXPECT_THAT(csv("path,label\na.wav,yes"), ElementsAre("2 a.wav -> yes"));
  EXPECT_THAT(csv("Label,id,File\nyes,7,a.wav\n"), ElementsAre("2 a.wav -> yes"));
  EXPECT_THAT(csv("\xEF\xBB\xBFpath,label\na,b\n"), ElementsAre("2 a -> b"));
  EXPECT_THAT(csv("a,b\npath,label\n"), ElementsAre("1 a -> b", "2 path -> label"));  // only the first row is a header
  EXPECT_THAT(csv(""), IsEmpty());
  EXPECT_THAT(csv("path,label\n"), IsEmpty());
}

TEST(CsvManifestTest, ReadsEveryEndOfLineAndQuotes) {
  EXPECT_THAT(csv("a,b\r\n\r\nc,d\r\n"), ElementsAre("1 a -> b", "3 c -> d"));
  EXPECT_THAT(csv("\n\na,b\r"), ElementsAre("3 a -> b"));
  EXPECT_THAT(csv("\"a,1.wav\",\"say \"\"yes\"\"\"\nc,d"), ElementsAre("1 a,1.wav -> say \"yes\"", "2 c -> d"));
  EXPECT_THAT(csv("\"two\nlines\",b\nc,d"), ElementsAre("1 two\nlines -> b", "3 c -> d"));
  EXPECT_THAT(csv("sep=;\r\npath;label\r\na,1;b\r\n"), ElementsAre("3 a,1 -> b"));
  EXPECT_THAT(csv(" a , b \n"), ElementsAre("1  a  -> b"));  // spaces belong to a path, to no label
  EXPECT_THAT(csv("\xFF.wav,b\n"), ElementsAre("1 \xFF.wav -> b"));
}

TEST(CsvManifestTest, NamesTheLineThatIsWrong) {
  expect_csv_error("a,b\nc\n", {"t.csv:2", "1 fields", "a path and a label"});
  expect_csv_error("a,b,c\n", {"t.csv:1", "3 fields", "quote"});
  expect_csv_error("id,path,label\n1,a\n", {"t.csv:2", "2 fields", "header"});
  expect_csv_error("a,\n", {"t.csv:1", "label is empty"});
  expect_csv_error("a,b\n,b\n", {"t.csv:2", "path is empty"});
  expect_csv_error("a,b\n\"c,d\ne", {"t.csv:2", "quote is not closed"});
  expect_csv_error("\"a\"b,c\n", {"t.csv:1", "closing quote"});
  expect_csv_error("a,\xFF\n", {"t.csv:1", "label is not UTF-8", "\\xff"});
  expect_csv_error(std::string_view("a\0,b\n", 5), {"t.csv:1", "zero byte"});
}

TEST(JsonManifestTest, ReadsBothNamesOfEachKey) {
  EXPECT_THAT(json("{\"path\": \"a\", \"label\": \"b\"}\n"), ElementsAre("1 a -> b"));
  EXPECT_THAT(json("{\"audio_filepath\": \"a.wav\", \"duration\": 1.0, \"command\": \"yes\"}\r\n\n"
                   "{\"command\": \"no\", \"audio_filepath\": \"b.wav\"}"),
              ElementsAre("1 a.wav -> yes", "3 b.wav -> no"));
  EXPECT_THAT(json("{\"path\": \"a\", \"label\": 7}"), ElementsAre("1 a -> 7"));
  EXPECT_THAT(json("{\"path\": \"a\", \"label\": \" b \"}"), ElementsAre("1 a -> b"));
  EXPECT_THAT(json("\xEF\xBB\xBF"), IsEmpty());
  const auto entries = parse_json_manifest("{\"path\": \"a\", \"label\": \"b\", \"offset\": 1.5}", "t").entries;
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].start_s, 1.5);
}

TEST(JsonManifestTest, NamesTheLineThatIsWrong) {
  expect_json_error("{\"path\": \"a\", \"label\": \"b\"}\n{", {"t.jsonl:2", "not valid JSON"});
  expect_json_error("{\"path\": \"a\", \"path\": \"b\"}", {"t.jsonl:1", "\"path\" stands twice"});
  expect_json_error("1", {"t.jsonl:1", "is 1", "one object a line"});
  expect_json_error("[{\"path\": \"a\", \"label\": \"b\"}, 1]", {"t.jsonl:2", "is 1", "one object a line"});
  expect_json_error("{\"label\": \"b\"}", {"t.jsonl:1", "neither \"path\" nor \"audio_filepath\""});
  expect_json_error("{\"path\": \"a\"}", {"t.jsonl:1", "neither \"label\" nor \"command\""});
  expect_json_error("{\"path\": 1, \"label\": \"b\"}", {"t.jsonl:1", "path is 1"});
  expect_json_error("{\"path\": \"a\", \"label\": 1.5}", {"t.jsonl:1", "label is 1.5"});
  expect_json_error("{\"path\": \"a\", \"label\": \"\"}", {"t.jsonl:1", "label is empty"});
  expect_json_error("{\"path\": \"a\", \"label\": \"b\", \"offset\": -1}", {"t.jsonl:1", "offset is -1"});
}

}  // namespace
}  // namespace byteformer::data
