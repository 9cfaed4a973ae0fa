// `byteformer experiments`: what it lists and shows, and what it refuses before any work is done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "exit_status.hpp"
#include "experiments/runner.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"
#include "support/plain_permissions.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ExperimentsTest : public FolderTest {
 protected:
  /// Runs `experiments COMMAND ARGUMENTS...` with the recipes of the repository, and everything else in this folder.
  Outcome experiments(const std::string& command, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.begin(), {"experiments", command, "--recipes", in_repository("recipes")});
    return run_program(arguments);
  }

  /// ... with data, output and results in this folder.
  Outcome run(std::vector<std::string> arguments) {
    for (const char* option : {"data", "output", "results"}) {
      arguments.push_back(std::string("--") + option);
      arguments.push_back(at(option));
    }
    return experiments("run", std::move(arguments));
  }
};

TEST_F(ExperimentsTest, ListsALineAnExperiment) {
  const Outcome outcome = experiments("list", {"--results", at("results")});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 1 + 46);
  EXPECT_THAT(outcome.out, HasSubstr("image_tiff"));
  EXPECT_THAT(outcome.out, HasSubstr("77.33"));
}

TEST_F(ExperimentsTest, ListsAsJson) {
  const Outcome outcome = experiments("list", {"--results", at("results"), "--json"});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json.size(), 46U);
  for (const auto& row : json) {
    EXPECT_EQ(row["done"], 0);
    EXPECT_TRUE(row["top1"].is_null());
    if (row["name"] != "camera_0.1_k4") continue;
    EXPECT_EQ(row["seeds"], 3);
    EXPECT_EQ(row["paper"], 71.35);
    EXPECT_EQ(row["source"], "paper");
  }
}

TEST_F(ExperimentsTest, ShowsTheCommandOfAScale) {
  const Outcome small = experiments("show", {"jpeg_q60_k4_w32"});
  ASSERT_EQ(small.status, kExitOk) << small.err;
  EXPECT_THAT(small.out, HasSubstr("\nbyteformer train --data data/mnist28_png --output experiments/small/"));
  EXPECT_THAT(small.out, HasSubstr("scripts/unpack_data.sh"));
  const Outcome paper = experiments("show", {"jpeg_q60_k4_w32", "--scale", "paper", "--data", "/data", "--json"});
  const auto json = nlohmann::json::parse(paper.out);
  EXPECT_THAT(json["command"].get<std::string>(), StartsWith("byteformer train --data /data/imagenet"));
  EXPECT_THAT(json["command"].get<std::string>(), HasSubstr("--recipe published"));
  EXPECT_EQ(json["tests"], nlohmann::json::array({"imagenet"}));
}

TEST_F(ExperimentsTest, UnknownNamesSuggestTheNearest) {
  const Outcome outcome = experiments("show", {"image_tif"});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean `image_tiff`?"));
  EXPECT_EQ(run({"image_tif"}).status, kExitUsage);
  EXPECT_EQ(run({}).status, kExitUsage);
}

TEST_F(ExperimentsTest, APlanNeedsNothingAndWritesNothing) {
  const Outcome outcome = run({"obfuscation_0", "--seeds", "1", "--dry-run"});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("# image_fhwc, seed 0: to do\nbyteformer train "));
  EXPECT_THAT(outcome.out, HasSubstr("# obfuscation_0, seed 0: to do\nbyteformer obfuscate rekey "));
  EXPECT_FALSE(std::filesystem::exists(at("output")));
  EXPECT_FALSE(std::filesystem::exists(at("results")));
}

TEST_F(ExperimentsTest, ResumingAndStartingAnewExcludeEachOther) {
  const Outcome outcome = run({"image_tiff", "--resume", "--force"});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--force"));
}

TEST_F(ExperimentsTest, AFolderThatCannotBeDeletedCostsItsRunAlone) {
  const experiments::RecipeBook book = experiments::read_recipes(in_repository("recipes"));
  experiments::Places places;
  places.models = at("output");
  places.results = at("results");
  const Runner runner(book, {places, {}, {}, false});
  std::vector<Task> tasks = find_tasks(book, runner, {&book.at("image_tiff")}, experiments::Scale::kSmall, 2, {});
  ASSERT_EQ(tasks.size(), 2U);
  const std::filesystem::path stuck = experiments::model_dir(tasks[0].run, places);
  std::filesystem::create_directories(stuck / "training");
  test::write_file(stuck / "training" / "plan.json", "{}");
  std::filesystem::permissions(stuck / "training", std::filesystem::perms(0500));
  const experiments::Run other = tasks[1].run;
  std::ostringstream out, err;
  Console console{.out = out, .err = err};
  {
    const test::PlainPermissions permissions;
    EXPECT_EQ(forget(runner, tasks, console), 1);
  }
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].run.seed, other.seed);
  EXPECT_THAT(err.str(), HasSubstr("cannot be deleted"));
  std::filesystem::permissions(stuck / "training", std::filesystem::perms(0700));
}

TEST_F(ExperimentsTest, WritesThePageOfNoRuns) {
  const Outcome outcome = experiments("report", {"--results", at("results")});
  ASSERT_EQ(outcome.status, kExitOk) << outcome.err;
  EXPECT_EQ(outcome.out, at("results.md") + "\n");
  EXPECT_THAT(test::read_file(at("results.md")), HasSubstr("Nothing has been run yet."));
}

TEST_F(ExperimentsTest, AnErrorInARecipeNamesFileAndLine) {
  std::filesystem::copy(in_repository("recipes"), at("recipes"), std::filesystem::copy_options::recursive);
  test::write_file(at("recipes/image_png.yaml"), "name: image_png\ntitel: PNG\n");
  const Outcome outcome = run_program({"experiments", "list", "--recipes", at("recipes")});
  EXPECT_NE(outcome.status, kExitOk);
  EXPECT_THAT(outcome.err, HasSubstr("image_png.yaml"));
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(ExperimentsTest, AFolderWithoutRecipesIsNamed) {
  const Outcome outcome = run_program({"experiments", "list", "--recipes", at("nowhere")});
  EXPECT_EQ(outcome.status, kExitFailure);
  EXPECT_THAT(outcome.err, HasSubstr("nowhere: holds no recipes"));
}

}  // namespace
}  // namespace byteformer::cli
