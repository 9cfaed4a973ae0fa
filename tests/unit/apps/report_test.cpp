// Reports in their three forms.
#include "classify/report.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace byteformer::cli {
namespace {

struct Screen {
  std::ostringstream out, err;
  Console console{.in = nullptr, .out = out, .err = err, .has_unicode = true};
};

Report answer(const std::string& path, std::vector<Prediction> predictions) {
  Report report;
  report.path = path;
  report.num_bytes = 1'500;
  report.num_tokens = 374;
  report.predictions = std::move(predictions);
  return report;
}

Report failure(const std::string& path, ErrorCode code, const std::string& message) {
  Report report;
  report.path = path;
  report.error.emplace(code, message);
  return report;
}

TEST(JsonReport, HasTheDocumentedKeysInOrder) {
  EXPECT_EQ(to_json(answer("a.bin", {{3, "cat", 0.75F}, {1, "dog", 0.1F}})),
            R"({"path":"a.bin","status":"ok","bytes":1500,"tokens":374,)"
            R"("predictions":[{"label":"cat","index":3,"score":0.75},{"label":"dog","index":1,"score":0.1}]})");
}

TEST(JsonReport, AddsLogitsAndFeaturesWhereAskedFor) {
  Report report = answer("a", {{0, "x", 1}});
  report.logits = {1.5F, -2};
  report.features = {0.1F};
  EXPECT_TRUE(to_json(report).ends_with(R"(],"logits":[1.5,-2],"features":[0.1]})")) << to_json(report);
}

const format::LabelInfo kJpeg{{"jpg", "jpeg"}, "image/jpeg", "image"};

TEST(JsonReport, SaysWhatTheModelKnowsOfALabel) {
  Report report = answer("a", {{3, "jpeg", 0.75F}, {1, "dog", 0.1F}});
  report.infos = {&kJpeg, nullptr};
  EXPECT_TRUE(to_json(report).ends_with(
      R"("predictions":[{"label":"jpeg","index":3,"score":0.75,"media_type":"image/jpeg","group":"image",)"
      R"("extensions":["jpg","jpeg"]},{"label":"dog","index":1,"score":0.1}]})"))
      << to_json(report);
}

TEST(JsonReport, NamesTheAliasesOfALabel) {
  const format::LabelInfo cat{.extensions = {}, .media_type = {}, .group = {}, .aliases = {"n02121808"}};
  Report report = answer("a", {{0, "cat", 0.75F}});
  report.infos = {&cat};
  EXPECT_TRUE(to_json(report).ends_with(R"({"label":"cat","index":0,"score":0.75,"extensions":[],)"
                                        R"("aliases":["n02121808"]}]})"))
      << to_json(report);
}

TEST(JsonReport, BeginsWithUnknownBelowTheThreshold) {
  Report report = answer("a", {{3, "cat", 0.25F}});
  report.is_unknown = true;
  EXPECT_TRUE(to_json(report).ends_with(
      R"("predictions":[{"label":"unknown","index":-1,"score":0.25},{"label":"cat","index":3,"score":0.25}]})"));
}

TEST(JsonReport, CarriesErrorsAndAnyPath) {
  EXPECT_EQ(to_json(failure("\xff", ErrorCode::kEmptyFile, "\xff: is empty")),
            R"({"path":"\\xff","status":"error","error":{"code":"empty_file","message":"\\xff: is empty"}})");
}

TEST(JsonLines, AreOneObjectALine) {
  Screen screen;
  const auto writer = make_json_lines_writer(screen.console);
  writer->write({answer("a", {}), failure("b\n", ErrorCode::kIo, "x")});
  writer->finish();
  const std::string text = screen.out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_TRUE(screen.err.str().empty());
}

TEST(JsonArray, IsValidAfterAnyNumberOfBatches) {
  Screen screen;
  const auto writer = make_json_array_writer(screen.console);
  writer->write({answer("a", {})});
  writer->write({});
  writer->write({failure("b", ErrorCode::kIo, "x"), answer("c", {})});
  writer->finish();
  EXPECT_EQ(screen.out.str(), "[\n" + to_json(answer("a", {})) + ",\n" + to_json(failure("b", ErrorCode::kIo, "x")) +
                                  ",\n" + to_json(answer("c", {})) + "\n]\n");
}

TEST(JsonArray, IsValidWithoutFiles) {
  Screen screen;
  make_json_array_writer(screen.console)->finish();
  EXPECT_EQ(screen.out.str(), "[]\n");
}

TEST(TableReport, AlignsPathsLabelsAndBars) {
  Screen screen;
  make_table_writer(screen.console)
      ->write({answer("long.bin", {{0, "cat", 0.5F}, {1, "horse", 0.25F}}), answer("b", {{2, "ö", 1}})});
  EXPECT_EQ(screen.out.str(),
            "long.bin  cat    ██████████             50.0 %\n"
            "          horse  █████                  25.0 %\n"
            "b         ö      ████████████████████  100.0 %\n");
}

TEST(TableReport, RowsThatComeOneByOneLineUpWhereItIsKnownWhatComes) {
  Screen screen;
  const auto writer =
      make_table_writer(screen.console, {.paths = {"b", "long.bin"}, .labels = {"cat", "horse", std::string(99, 'x')}});
  writer->write({answer("b", {{0, "cat", 1}})});
  writer->write({answer("long.bin", {{1, "horse", 1}})});
  const std::string pad(24 - 5, ' ');  // no label that may never be seen takes more
  EXPECT_EQ(screen.out.str(), "b         cat  " + pad + "  ████████████████████  100.0 %\n" + "long.bin  horse" + pad +
                                  "  ████████████████████  100.0 %\n");
}

TEST(TableReport, ErrorsGoToStandardErrorAndTheTableGoesOn) {
  Screen screen;
  make_table_writer(screen.console)
      ->write({failure("x", ErrorCode::kEmptyFile, "x: is empty"), answer("b", {{2, "c", 0}})});
  EXPECT_EQ(screen.err.str(), "byteformer: x: is empty\n");
  EXPECT_EQ(screen.out.str(), "b  c                          0.0 %\n");
}

TEST(TableReport, SaysUnknownAndWhatItWouldHaveBeen) {
  Screen screen;
  Report report = answer("a", {{0, "cat", 0.123F}});
  report.is_unknown = true;
  make_table_writer(screen.console)->write({report});
  EXPECT_EQ(screen.out.str(), "a  unknown (best: cat 12.3 %)\n");
}

TEST(TableReport, SaysWhatTheModelKnowsOfTheBestLabel) {
  Screen screen;
  Report report = answer("a", {{0, "jpeg", 0.75F}, {1, "dog", 0.25F}});
  report.infos = {&kJpeg, nullptr};
  make_table_writer(screen.console)->write({report});
  EXPECT_NE(screen.out.str().find(" 75.0 %  image/jpeg, image, .jpg .jpeg\n"), std::string::npos) << screen.out.str();
  EXPECT_TRUE(screen.out.str().ends_with(" 25.0 %\n")) << screen.out.str();
}

TEST(TableReport, HasColourOnlyWhereTheTerminalHas) {
  Screen screen;
  make_table_writer(screen.console)->write({answer("a", {{0, "cat", 1}})});
  EXPECT_EQ(screen.out.str().find('\x1b'), std::string::npos);
  screen.console.has_colour = true;
  make_table_writer(screen.console)->write({answer("a", {{0, "cat", 1}})});
  EXPECT_NE(screen.out.str().find("\x1b[32m"), std::string::npos);
}

TEST(TableReport, PrintsNoControlCharactersOfAPath) {
  Screen screen;
  make_table_writer(screen.console)->write({answer("a\x1b[31m", {{0, "c\x07", 1}})});
  EXPECT_EQ(screen.out.str().find('\x1b'), std::string::npos);
  EXPECT_EQ(screen.out.str().find('\x07'), std::string::npos);
}

}  // namespace
}  // namespace byteformer::cli
