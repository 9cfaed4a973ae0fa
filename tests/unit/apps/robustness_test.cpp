// `byteformer eval --corrupt`: curves, where damage hits, what it depends on, and the page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "evaluation/evaluation.hpp"
#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class RobustnessTest : public FolderTest {
 protected:
  RobustnessTest() {
    nano_model(folder_ / "model", kFhwc8);
    for (int c = 0; c < 4; ++c)
      for (int i = 0; i < 3; ++i)
        put("data/class_" + std::to_string(c) + "/" + std::to_string(i), some_picture(9, 9, 10 * c + i));
  }
  Outcome eval(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"eval", "-m", at("model"), "-d", at("data")});
    return run_program(arguments);
  }
  nlohmann::json eval_json(std::vector<std::string> arguments, int status = kExitOk) const {
    arguments.emplace_back("--json");
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }
  void expect_usage_error(const std::vector<std::string>& arguments, const std::vector<std::string>& parts) const {
    const Outcome outcome = eval(arguments);
    EXPECT_EQ(outcome.status, kExitUsage) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    for (const std::string& part : parts) EXPECT_THAT(outcome.err, HasSubstr(part));
  }
};

TEST_F(RobustnessTest, JsonHasACurveAKindBesideTheUndamagedFigures) {
  nlohmann::json result = eval_json({"--corrupt", "bit-flips:0.5,0,0.1", "--corrupt", "jpeg-quality:50"});
  const nlohmann::json corruption = result["corruption"];
  result.erase("corruption");
  EXPECT_EQ(result, eval_json({}));
  EXPECT_EQ(corruption["seed"], 0);
  EXPECT_EQ(corruption["source"], false);
  ASSERT_EQ(corruption["curves"].size(), 2U);
  const nlohmann::json& points = corruption["curves"][0]["points"];
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0]["level"], 0.0);
  EXPECT_EQ(points[0]["loss"], result["loss"]) << "no damage is no damage";
  EXPECT_EQ(points[0]["top1"], result["top1"]);
  EXPECT_EQ(points[1]["level"], 0.1);
  EXPECT_NE(points[2]["loss"], result["loss"]);
  EXPECT_EQ(points[2]["samples"], 12);
  EXPECT_EQ(points[2]["failed"], 0);
  EXPECT_EQ(corruption["curves"][1]["kind"], "jpeg-quality");
  EXPECT_NE(corruption["curves"][1]["points"][0]["loss"], result["loss"]);
}

TEST_F(RobustnessTest, DamageFollowsFromFilesAndSeedNotFromThreadsAndBatches) {
  const auto curves = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--corrupt", "byte-noise:0.3", "--corrupt", "shuffle-windows:16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return eval_json(arguments)["corruption"]["curves"];
  };
  const nlohmann::json expected = curves({});
  EXPECT_EQ(curves({"-b", "1", "-j", "1"}), expected);
  EXPECT_EQ(curves({"-b", "5", "-j", "3"}), expected);
  EXPECT_NE(curves({"--seed", "1"}), expected);
}

TEST_F(RobustnessTest, AModelOfFilesAsTheyAreReadsDamagedOnes) {
  fs::remove_all(at("model"));
  nano_model(folder_ / "model", "");
  const nlohmann::json result = eval_json({"--corrupt", "truncate:0,0.9"});
  const nlohmann::json& points = result["corruption"]["curves"][0]["points"];
  EXPECT_EQ(points[0]["loss"], result["loss"]);
  EXPECT_NE(points[1]["loss"], result["loss"]);
}

TEST_F(RobustnessTest, DamagedSourcesThatDoNotDecodeFailAndAreCounted) {
  const std::vector<std::string> arguments{"--corrupt", "truncate:0.5", "--corrupt-source"};
  const nlohmann::json point = eval_json(arguments, kExitInputFailed)["corruption"]["curves"][0]["points"][0];
  EXPECT_EQ(point["failed"], 12);
  EXPECT_EQ(point["samples"], 0);
  EXPECT_EQ(point["first_failure"]["code"], "invalid_format");
  const Outcome outcome = eval(arguments);
  EXPECT_EQ(outcome.status, kExitInputFailed);
  EXPECT_THAT(outcome.err, HasSubstr("truncate:0.5: 12 files failed, the first: " + at("data/class_0/0")));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("in the file itself"), HasSubstr("  -     -      12\n")));
}

TEST_F(RobustnessTest, FilesThatFailUndamagedAreNotTriedAgain) {
  put("data/class_1/bad", "hello");
  const nlohmann::json result = eval_json({"--corrupt", "truncate:0.1"}, kExitInputFailed);
  EXPECT_EQ(result["failures"].size(), 1U);
  EXPECT_EQ(result["corruption"]["curves"][0]["points"][0]["samples"], 12);
  EXPECT_EQ(result["corruption"]["curves"][0]["points"][0]["failed"], 0);
}

TEST_F(RobustnessTest, PeopleGetATableAKind) {
  const Outcome outcome = eval({"--corrupt", "truncate", "--corrupt", "bit-flips:0.1"});
  EXPECT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("accuracy "));
  EXPECT_THAT(outcome.out, HasSubstr("\ntruncate: share of the file lost at its end\nlevel  top-1"));
  EXPECT_THAT(outcome.out, HasSubstr("\n 0.05  "));
  EXPECT_THAT(outcome.out, HasSubstr("\n  0.9  "));
  EXPECT_THAT(outcome.out, HasSubstr("\nbit-flips: share of bits that flip\n"));
}

TEST_F(RobustnessTest, ThePageHasAChartAndATableAKindAndIsNotOverwrittenByAccident) {
  const std::vector<std::string> arguments{"--corrupt",    "bit-flips:0.01,0.5", "--corrupt",
                                           "truncate:0.5", "--report",           at("page.html")};
  ASSERT_EQ(eval(arguments).status, kExitOk);
  const std::string page = test::read_file(at("page.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("<!doctype html>"), HasSubstr("<h2>bit-flips</h2>"), HasSubstr("<h2>truncate</h2>"),
                          HasSubstr("<polyline"), HasSubstr("<td>0.01<td>"), HasSubstr("<td>whole files<td>")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  const Outcome again = eval(arguments);
  EXPECT_EQ(again.status, kExitFailure);
  EXPECT_THAT(again.err, HasSubstr("exists already; --force"));
  EXPECT_EQ(again.out, "") << "it is said before, not after the work";
  auto forced = arguments;
  forced.emplace_back("--force");
  EXPECT_EQ(eval(forced).status, kExitOk);
}

TEST_F(RobustnessTest, ThePageReplacesNothingThatIsRead) {
  const std::string key = at("my.key");
  ASSERT_EQ(run_program({"obfuscate", "keygen", "-o", key}).status, kExitOk);
  ASSERT_EQ(run_program({"obfuscate", "rekey", at("model"), "--key", key, "-o", at("keyed")}).status, kExitOk);
  const std::string file = put("data/class_1/more", some_picture(9, 9, 1));
  for (const std::string& page : {key, file}) {
    const std::string before = test::read_file(page);
    const Outcome outcome = run_program({"eval", "-m", at("keyed"), "-d", at("data"), "--key", key, "--corrupt",
                                         "truncate:0.5", "--report", page, "--force"});
    EXPECT_EQ(outcome.status, kExitUsage);
    EXPECT_THAT(outcome.err, HasSubstr("would replace what is read here"));
    EXPECT_EQ(test::read_file(page), before);
  }
}

TEST_F(RobustnessTest, NamesFromOutsideStayTextOnThePage) {
  fs::rename(at("data"), at("<b>data"));
  ASSERT_EQ(run_program({"eval", "-m", at("model"), "-d", at("<b>data"), "--corrupt", "truncate:0.5", "--report",
                         at("page.html")})
                .status,
            kExitOk);
  EXPECT_THAT(test::read_file(at("page.html")), AllOf(HasSubstr("&lt;b&gt;data"), Not(HasSubstr("<b>data"))));
}

TEST_F(RobustnessTest, WhatMakesNoSenseIsRefused) {
  expect_usage_error({"--corrupt", "bitflips:0.1"}, {"`bitflips`", "did you mean `bit-flips`?"});
  expect_usage_error({"--corrupt", "bit-flips:2"}, {"from 0 to 1", "not 2"});
  expect_usage_error({"--corrupt", "bit-flips:"}, {"`` is no level"});
  expect_usage_error({"--corrupt", "bit-flips:0.1,,0.2"}, {"`` is no level"});
  expect_usage_error({"--corrupt", "bit-flips:0.1x"}, {"`0.1x` is no level"});
  expect_usage_error({"--corrupt", "jpeg-quality:50.5"}, {"whole numbers from 1 to 100"});
  expect_usage_error({"--corrupt", "mp3-bitrate:16"}, {"sounds", "fHWC"});
  expect_usage_error({"--corrupt", "jpeg-quality:50", "--as-is"}, {"files as they are"});
  expect_usage_error({"--seed", "1"}, {"--seed needs --corrupt"});
  expect_usage_error({"--corrupt-source"}, {"--corrupt-source needs --corrupt"});
  expect_usage_error({"--report", at("x.html")}, {"--report needs --corrupt"});
}

TEST(CurvePlans, LevelsOfAKindAddUpInOrder) {
  const auto plans = parse_curve_plans({"truncate:0.5", "bit-flips:0.1", "truncate:0.1,0.5"});
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_EQ(plans[0].kind->name, "truncate");
  EXPECT_THAT(plans[0].levels, ElementsAre(0.1, 0.5));
  EXPECT_THAT(plans[1].levels, ElementsAre(0.1));
  EXPECT_EQ(parse_curve_plans({"jpeg-quality"})[0].levels.size(),
            data::find_corruption_kind("jpeg-quality").usual_levels.size());
}

}  // namespace
}  // namespace byteformer::cli
