// `byteformer explain`: what it says on the command line, in JSON and on its page.
#include "byteformer/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bytes/transforms.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using Arguments = std::vector<std::string>;
using nlohmann::json;

class ExplainCommandTest : public FolderTest {
 protected:
  Outcome explain(Arguments arguments, const std::optional<std::string>& input = "") const {
    arguments.insert(arguments.begin(), {"explain", "-m", at("model")});
    return run_program(arguments, input);
  }
  json explained(Arguments arguments, const std::string& input = "") const {
    arguments.push_back("--json");
    const Outcome outcome = explain(std::move(arguments), input);
    EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
    return json::parse(outcome.out);
  }
  void expect_failure(int status, const std::string& message, const Arguments& arguments) const {
    const Outcome outcome = explain(arguments);
    EXPECT_EQ(outcome.status, status) << message;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(message));
  }
  /// A file of raw pixels in the model's form.
  std::string pixels(std::size_t size = 192) const {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 37 + i / 7);
    return bytes;
  }
};

TEST_F(ExplainCommandTest, SaysWhatTheLibrarySays) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string bytes = pixels();
  const json answer = explained({put("a.fhwc", bytes), "--label", "class_2"});
  const Classifier classifier = Classifier::load(folder_ / "model");
  const Occluder occluder(classifier, std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  const Explanation expected = *byteformer::explain(occluder, {.label = 2});
  EXPECT_EQ(answer["label"], "class_2");
  EXPECT_EQ(answer["index"], 2);
  EXPECT_EQ(answer["of"], "log-odds");
  EXPECT_EQ(answer["method"], "occlusion");
  EXPECT_EQ(answer["span"], 8);
  EXPECT_EQ(answer["step"], 2);
  EXPECT_TRUE(answer["fill"].is_null());
  EXPECT_EQ(answer["bytes"], 192);
  EXPECT_EQ(answer["heat"].get<std::vector<float>>(), expected.heat);
  EXPECT_EQ(answer["value"].get<double>(), expected.value);
  EXPECT_EQ(answer["windows"].size(), expected.windows.size());
  EXPECT_EQ(answer["windows"][3]["begin"], 6);
  EXPECT_EQ(answer["windows"][3]["fall"].get<double>(), expected.falls[3]);
  EXPECT_EQ(answer["rows_computed"], expected.num_rows);
  EXPECT_FALSE(answer.contains("prepared"));
  EXPECT_EQ(answer["deletion"]["bytes"], 19);
  EXPECT_EQ(answer["deletion"]["run"], 8);
}

TEST_F(ExplainCommandTest, TheHottestTenthIsRemovedAsSaid) {
  nano_model(folder_ / "model", "");
  std::string bytes = pixels(300);
  const json answer = explained({put("file", bytes), "--fill", "9"});
  EXPECT_EQ(answer["fill"], 9);
  std::vector<std::size_t> order(bytes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto heat = answer["heat"].get<std::vector<float>>();
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return heat[a] > heat[b]; });
  for (std::size_t i = 0; i < 30; ++i) bytes[order[i]] = 9;
  const Outcome outcome = run_program({"classify", "-m", at("model"), "--jsonl", put("without", bytes)});
  const json without = json::parse(outcome.out);
  const json& deletion = answer["deletion"];
  for (const json& prediction : without["predictions"]) {
    if (prediction["label"] != answer["label"]) continue;
    EXPECT_NEAR(prediction["score"].get<double>(), deletion["score_without_hottest"].get<double>(), 1e-7);
  }
  EXPECT_EQ(without["predictions"][0]["label"], deletion["answer_without_hottest"]);
  EXPECT_EQ(deletion["score"], answer["score"]);
}

TEST_F(ExplainCommandTest, PreparesAsClassifyDoes) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string picture = put("a.ppm", some_picture(30, 20, 1));
  const json answer = explained({picture});
  EXPECT_EQ(answer["bytes"], 192);
  EXPECT_EQ(answer["prepared"], true);
  EXPECT_EQ(explained({"-"}, some_picture(30, 20, 1))["heat"], answer["heat"]);
  const json as_is = explained({picture, "--as-is"});
  EXPECT_EQ(as_is["bytes"], fs::file_size(picture));
  EXPECT_FALSE(as_is.contains("prepared"));
}

TEST_F(ExplainCommandTest, HeatComesBackToWhereBytesWere) {
  const std::string bytes = pixels();
  std::string preprocess = kFhwc8;
  preprocess.pop_back();
  nano_model(
      folder_ / "model",
      preprocess + R"(,"transforms":[{"type":"shuffle","mode":"reverse"},{"type":"mask_positions","keep_frac":0.5}]})");
  const bytes::Transforms transforms{.shuffle = bytes::Shuffle{}, .mask = bytes::PositionMask{.keep_frac = 0.5}};
  const std::vector<std::uint8_t> file(bytes.begin(), bytes.end());
  const std::vector<std::uint32_t> origins = bytes::origins(transforms, file);
  const json answer = explained({put("a.fhwc", bytes)});
  ASSERT_EQ(answer["heat"].size(), 192U);
  EXPECT_EQ(answer["bytes"], 96);
  const Occluder occluder(Classifier::load(folder_ / "model", {.masking = {}, .as_is = true}),
                          bytes::transformed(transforms, file));
  const Explanation expected = *byteformer::explain(occluder);
  for (std::size_t i = 0; i < origins.size(); ++i)
    EXPECT_EQ(answer["heat"][origins[i]].get<float>(), expected.heat[i]) << i;
  EXPECT_EQ(std::ranges::count_if(answer["heat"], [](const json& heat) { return heat.is_null(); }), 96);
  EXPECT_THAT(explain({at("a.fhwc")}).out, HasSubstr(".. is not read by the model"));
  EXPECT_THAT(explain({at("a.fhwc"), "--html", at("page.html")}).err, "");
  EXPECT_THAT(test::read_file(at("page.html")), HasSubstr(" .. "));
}

TEST_F(ExplainCommandTest, ShowsAStripAndTheHottestRows) {
  nano_model(folder_ / "model", "");
  const Outcome outcome = explain({put("file", pixels(4000)), "--rows", "3"});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  for (const char* expected : {"without its hottest tenth, 400 bytes", "without a random tenth, in runs of",
                               "windows of 16 bytes, one every 4, removed", "\nfor ", "\nagainst ", "3,999\n",
                               "speaks for class_", "the strongest is"})
    EXPECT_THAT(outcome.out, HasSubstr(expected));
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
  int rows = 0;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) rows += line.starts_with("00000") ? 1 : 0;
  EXPECT_EQ(rows, 3);
  EXPECT_THAT(explain({at("file"), "--rows", "0"}).out, Not(HasSubstr("\n00000")));
}

TEST_F(ExplainCommandTest, OnATerminalHeatHasColours) {
  nano_model(folder_ / "model", "");
  std::istringstream in;
  std::ostringstream out, err;
  Console console{.in = &in, .out = out, .err = err, .has_colour = true, .has_unicode = true};
  ASSERT_EQ(run({"explain", "-m", at("model"), put("file", pixels(400))}, console), kExitOk) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("\x1b[48;5;196;38;5;231m"));
  EXPECT_THAT(out.str(), HasSubstr("█"));
}

TEST_F(ExplainCommandTest, PagesEscapeNames) {
  nano_model(folder_ / "model", "");
  const std::string file = put("<b>&\"'\x01.bin", pixels(100));
  ASSERT_EQ(explain({file, "--html", at("page.html")}).status, kExitOk);
  const std::string page = test::read_file(at("page.html"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&amp;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>&\"")));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST_F(ExplainCommandTest, PagesShowPicturesAndSounds) {
  nano_model(folder_ / "model", kJoint);
  const std::string picture = put("a.ppm", some_picture(30, 20, 1));
  ASSERT_EQ(explain({picture, "--html", at("picture.html")}).status, kExitOk);
  const std::string picture_page = test::read_file(at("picture.html"));
  EXPECT_THAT(picture_page, HasSubstr("heat over the picture"));
  EXPECT_THAT(picture_page, HasSubstr("three bytes"));
  const std::string sound = put("a.wav", float32_wav(8000, std::string(4 * 400, '\x3c')));
  ASSERT_EQ(explain({sound, "--html", at("sound.html")}).status, kExitOk);
  const std::string sound_page = test::read_file(at("sound.html"));
  EXPECT_THAT(sound_page, HasSubstr("class=wave"));
  EXPECT_THAT(sound_page, HasSubstr("A sample&#39;s heat"));
  ASSERT_EQ(explain({in_repository("examples/data/frog.jpg"), "--as-is", "--html", at("jpeg.html")}).status, kExitOk);
  EXPECT_THAT(test::read_file(at("jpeg.html")), HasSubstr("Approximate: rows of blocks"));
  ASSERT_EQ(explain({put("cut.png", "\x89PNG\r\n\x1a\n and no more"), "--as-is", "--html", at("cut.html")}).status,
            kExitOk);
  EXPECT_THAT(test::read_file(at("cut.html")), Not(HasSubstr("Where in the picture")));
}

TEST_F(ExplainCommandTest, OfClassesWithOneNameTheLikeliestIsExplained) {
  nano_model(folder_ / "model", kFhwc8);
  const std::string file = put("a.fhwc", pixels());
  const std::size_t answer = explained({file})["index"];
  std::string config = test::read_file(folder_ / "model/config.json");
  const std::size_t other = answer == 0 ? 1 : 0;  // which comes first, unless the answer does
  for (const std::size_t index : {answer, other}) {
    const std::string label = "\"class_" + std::to_string(index) + '"';
    config.replace(config.find(label), label.size(), "\"crane\"");
  }
  put("model/config.json", config);
  const json explanation = explained({file, "--label", "crane"});
  EXPECT_EQ(explanation["index"], answer);
  EXPECT_EQ(explanation["label"], "crane");
}

TEST_F(ExplainCommandTest, APageIsNotReplacedByAccident) {
  nano_model(folder_ / "model", "");
  const std::string file = put("file", pixels(50)), page = put("page.html", "old");
  expect_failure(kExitFailure, page + " exists already; --force overwrites it", {file, "--html", page});
  EXPECT_EQ(test::read_file(page), "old");
  expect_failure(kExitUsage, file + ": its output would overwrite it", {file, "--html", file, "--force"});
  EXPECT_EQ(explain({file, "--html", page, "--force"}).status, kExitOk);
  EXPECT_THAT(test::read_file(page), HasSubstr("<!doctype html>"));
}

TEST_F(ExplainCommandTest, NamesWhatIsWrong) {
  nano_model(folder_ / "model", "");
  const std::string file = put("file", pixels(50));
  expect_failure(kExitUsage, "no file given", {});
  expect_failure(kExitUsage, "no class `class2`; did you mean `class_2`?", {file, "--label", "class2"});
  expect_failure(kExitUsage, "no class `zebra`", {file, "--label", "zebra"});
  expect_failure(kExitUsage, file + ": the span is 51 bytes, but the file has 50", {file, "--span", "51"});
  expect_failure(kExitUsage, "--step must not exceed --span", {file, "--span", "5", "--step", "6"});
  expect_failure(kExitUsage, "--fill must be", {file, "--fill", "256"});
  expect_failure(kExitUsage, "belong to --method occlusion", {file, "--method", "integrated-gradients", "--span", "5"});
  expect_failure(kExitUsage, "belongs to --method integrated-gradients", {file, "--steps", "5"});
  expect_failure(kExitUsage, "float32; leave --precision out",
                 {file, "--method", "integrated-gradients", "--precision", "int8"});
  expect_failure(kExitUsage, "would replace what is read here", {file, "--html", at("model/config.json"), "--force"});
  expect_failure(kExitUsage, "--rows belongs to the hex dump", {file, "--json", "--rows", "3"});
  expect_failure(kExitUsage, "unexpected argument `other`\n", {file, "other"});
  expect_failure(kExitInputFailed, "missing: ", {at("missing")});
  expect_failure(kExitInputFailed, "empty: is empty", {put("empty", "")});
  expect_failure(kExitInputFailed, "directory", {at("model")});
  const Outcome closed = explain({"-"}, std::nullopt);
  EXPECT_EQ(closed.status, kExitUsage);
  nano_model(folder_ / "pictures", kFhwc8);
  const Outcome no_picture = run_program({"explain", "-m", at("pictures"), file});
  EXPECT_EQ(no_picture.status, kExitInputFailed);
  EXPECT_THAT(no_picture.err, HasSubstr("is no picture"));
  EXPECT_EQ(run_program({"explain", "-m", at("nowhere"), file}).status, kExitFailure);
}

#ifdef BYTEFORMER_HAS_TRAINER
TEST_F(ExplainCommandTest, GradientsAddUp) {
  nano_model(folder_ / "model", kFhwc8);
  const json answer =
      explained({put("a.fhwc", pixels()), "--method", "integrated-gradients", "--label", "class_1", "--of", "logit"});
  EXPECT_EQ(answer["method"], "integrated-gradients");
  EXPECT_EQ(answer["of"], "logit");
  EXPECT_EQ(answer["steps"], 128);
  double sum = 0;
  for (const json& heat : answer["heat"]) sum += heat.get<double>();
  EXPECT_NEAR(sum, answer["sum_of_heat"].get<double>(), 1e-6);
  const double difference = answer["value"].get<double>() - answer["value_without_bytes"].get<double>();
  EXPECT_GT(std::abs(difference), 1e-3);
  EXPECT_NEAR(sum, difference, 0.01 * std::abs(difference));
  EXPECT_THAT(explain({at("a.fhwc"), "--method", "integrated-gradients"}).out, HasSubstr("they add up to"));
}
#endif

/// What the acceptance asks of 100 files, of those that ship.
TEST(ExplainShippedModels, TheHottestTenthDecidesMoreThanARandomOne) {
  double hottest = 0, runs = 0, bytes = 0;
  for (const auto& [model, file] :
       {std::pair("spoken-digits", "spoken_3.wav"), std::pair("spoken-digits", "spoken_7.wav"),
        std::pair("mnist", "handwritten_3.png"), std::pair("mnist", "handwritten_7.png"),
        std::pair("cifar10", "airplane.jpg"), std::pair("cifar10", "frog.jpg")}) {
    const Outcome outcome = run_program({"explain", "-m", in_repository(std::string("models/") + model), "--json",
                                         in_repository(std::string("examples/data/") + file)});
    ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
    const json deletion = json::parse(outcome.out)["deletion"];
    const auto fall = [&](const char* key) { return deletion["score"].get<double>() - deletion[key].get<double>(); };
    hottest += fall("score_without_hottest") / 6;
    runs += fall("score_without_random_runs") / 6;
    bytes += fall("score_without_random_bytes") / 6;
  }
  EXPECT_GT(hottest, 0.2);
  EXPECT_GT(hottest, 3 * runs);
  EXPECT_GT(hottest, 3 * bytes);
}

}  // namespace
}  // namespace byteformer::cli
