// Jobs in shards: which is whose, what launchers say, what is written when, and what gather makes of it.
#include "classify/shards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <sstream>

#include "exit_status.hpp"
#include "folder_test.hpp"
#include "run_program.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ContainerEq;
using ::testing::HasSubstr;
using ::testing::Not;
using Arguments = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

Environment environment(const Variables& variables) {
  return [&variables](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

Shard parse(const std::string& text, const Variables& variables = {}) {
  return parse_shard(text, environment(variables));
}

TEST(Shards, AreNamedOrSaidByALauncher) {
  EXPECT_EQ(parse("3/16"), (Shard{3, 16}));
  EXPECT_EQ(parse("0/1"), (Shard{0, 1}));
  const Variables array = {{"SLURM_ARRAY_TASK_ID", "7"},  {"SLURM_ARRAY_TASK_COUNT", "4"},
                           {"SLURM_ARRAY_TASK_MIN", "1"}, {"SLURM_ARRAY_TASK_STEP", "2"},
                           {"SLURM_PROCID", "0"},         {"SLURM_STEP_NUM_TASKS", "1"}};
  EXPECT_EQ(parse("auto", array), (Shard{3, 4}));
  EXPECT_EQ(parse("auto/16", array), (Shard{7, 16}));
  EXPECT_EQ(parse("auto/16", {{"SLURM_ARRAY_TASK_ID", "7"}}), (Shard{7, 16}));
  EXPECT_EQ(parse("auto/5", {{"JOB_COMPLETION_INDEX", "4"}}), (Shard{4, 5}));
  EXPECT_EQ(parse("auto", {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}}), (Shard{1, 2}));
  EXPECT_EQ(parse("auto/2", {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}), (Shard{1, 2}));
  EXPECT_EQ(parse("auto", {{"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "3"}}), (Shard{1, 3}));
}

TEST(Shards, WhatIsNoneIsRefused) {
  for (const char* text : {"", "3", "16/16", "-1/16", "1/0", "0/0", "auto/0", "auto/", "1/100001", "1/2/3", "auto/x"})
    EXPECT_THROW(parse(text, {{"JOB_COMPLETION_INDEX", "0"}}), UsageError) << text;
  EXPECT_THROW(parse("auto"), UsageError);
  EXPECT_THROW(parse("auto", {{"JOB_COMPLETION_INDEX", "3"}}), UsageError) << "of how many?";
  EXPECT_THROW(parse("auto/3", {{"JOB_COMPLETION_INDEX", "3"}}), UsageError) << "0 to 2";
  EXPECT_THROW(parse("auto/3", {{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}), UsageError) << "3 or 2?";
  EXPECT_THROW(parse("auto", {{"PMI_RANK", "one"}, {"PMI_SIZE", "2"}}), UsageError);
  // Some tasks of an array started again are counted anew: 7 of {3, 7} is not the second.
  EXPECT_THROW(
      parse("auto", {{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_COUNT", "2"}, {"SLURM_ARRAY_TASK_MIN", "3"}}),
      UsageError);
}

TEST(Shards, ArePinnedByHash) {  // else tasks of two versions would answer some inputs twice and others never
  const std::vector<std::string> paths = {"a", "photos/1.jpg", "/data/caf\xe9.png", ""};
  std::vector<std::size_t> indices;
  for (const std::string& path : paths)
    for (std::size_t i = 0; i < 1000; ++i)
      if (Shard{i, 1000}.takes(path)) indices.push_back(i);
  EXPECT_THAT(indices, ContainerEq(std::vector<std::size_t>{711, 496, 965, 840}));
}

class ShardJobTest : public FolderTest {
 protected:
  ShardJobTest() {
    nano_model(folder_ / "model", "");
    for (int i = 0; i < 40; ++i)
      put("in/" + std::to_string(i % 3) + "/" + std::to_string(i), "bytes " + std::to_string(i));
    put("in/0/empty", "");
  }

  Arguments arguments(const Arguments& more) const {
    Arguments all{"classify", "-m", at("model"), "-r", at("in"), "--logits"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome run_shard(const std::string& shard, const Arguments& more = {}) const {
    Arguments all = arguments({"--shard", shard, "--output-dir", at("out")});
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  }
  ~ShardJobTest() override { ::signal(SIGTERM, SIG_DFL); }  // which a shard waits for in this process

  std::string file_of(const std::string& index) const { return at("out/shard-0000" + index + "-of-00004.jsonl"); }

  static std::vector<std::string> sorted_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  }
};

TEST_F(ShardJobTest, ShardsTogetherAreOneRun) {
  const Outcome whole = run_program(arguments({"--jsonl"}));
  int num_failed = 0;
  for (const char* shard : {"0/4", "1/4", "2/4", "3/4"})
    num_failed += run_shard(shard).status == kExitInputFailed ? 1 : 0;
  EXPECT_EQ(num_failed, 1) << "the shard with the empty file";
  const Outcome gathered = run_program({"gather", at("out")});
  EXPECT_EQ(gathered.status, kExitInputFailed);
  EXPECT_EQ(gathered.err, "byteformer: 4 shards: 41 files, 1 error\n");
  EXPECT_THAT(sorted_lines(gathered.out), ContainerEq(sorted_lines(whole.out)));
  EXPECT_EQ(run_program({"gather", at("out"), "-o", at("all.jsonl")}).status, kExitInputFailed);
  EXPECT_EQ(test::read_file(at("all.jsonl")), gathered.out);
  EXPECT_EQ(run_program({"gather", at("out"), "-o", at("all.jsonl")}).status, kExitFailure) << "it exists";
}

TEST_F(ShardJobTest, AJobDoesNotAnswerItsOwnFiles) {
  for (const char* shard : {"0/2", "1/2"}) {
    const Outcome outcome = run_program(arguments({"--shard", shard, "--output-dir", at("in/answers")}));
    EXPECT_THAT(outcome.err, Not(HasSubstr("answers/")));
  }
  const Outcome gathered = run_program({"gather", at("in/answers"), "-o", "-"});
  EXPECT_EQ(gathered.err, "byteformer: 2 shards: 41 files, 1 error\n");
  const std::string shard = at("in/answers/shard-00000-of-00002.jsonl");
  for (const std::string& read : {shard, at("in/answers/job.json")}) {
    const std::string before = test::read_file(read);
    EXPECT_THAT(run_program({"gather", at("in/answers"), "-o", read, "--force"}).err, HasSubstr("is read here"));
    EXPECT_EQ(test::read_file(read), before);
  }
}

TEST_F(ShardJobTest, ListsAreSharedOutAsGiven) {
  put("list", at("in/0/0") + "\n" + at("missing") + "\n" + at("in/0") + "\n");
  std::size_t num_lines = 0;
  for (const char* shard : {"0/2", "1/2"}) {
    const Outcome outcome = run_program(
        {"classify", "-m", at("model"), "--files-from", at("list"), "--shard", shard, "--output-dir", at("out")});
    EXPECT_THAT(outcome.err, HasSubstr("shard "));
  }
  const Outcome gathered = run_program({"gather", at("out")});
  num_lines = sorted_lines(gathered.out).size();
  EXPECT_EQ(num_lines, 3U) << gathered.out;
  EXPECT_THAT(gathered.out, HasSubstr("not_found"));
  EXPECT_THAT(gathered.out, HasSubstr("not_a_regular_file"));
}

TEST_F(ShardJobTest, AShardWithoutInputsIsWhole) {
  EXPECT_EQ(
      run_program({"classify", "-m", at("model"), at("in/0/0"), "--shard", "0/2", "--output-dir", at("out")}).status,
      kExitOk);
  EXPECT_EQ(
      run_program({"classify", "-m", at("model"), at("in/0/0"), "--shard", "1/2", "--output-dir", at("out")}).status,
      kExitOk);
  EXPECT_EQ(sorted_lines(run_program({"gather", at("out")}).out).size(), 1U);
}

TEST_F(ShardJobTest, AFinishedShardIsNotAnsweredAgain) {
  const int status = run_shard("1/4").status;
  const std::string first = test::read_file(file_of("1"));
  struct stat before {
  }, after{};
  ASSERT_EQ(::stat(file_of("1").c_str(), &before), 0);
  put("in/0/0", "other bytes");
  const Outcome again = run_shard("1/4");
  ASSERT_EQ(::stat(file_of("1").c_str(), &after), 0);
  EXPECT_EQ(again.status, status);
  EXPECT_THAT(again.err, HasSubstr("shard 1 of 4 is done already"));
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(test::read_file(file_of("1")), first);
}

TEST_F(ShardJobTest, OneJobHasOneModelOneNumberOfShardsAndOneSetOfOptions) {
  run_shard("1/4");
  for (const auto& [shard, more] :
       std::vector<std::pair<std::string, Arguments>>{{"1/8", {}}, {"2/4", {"--top-k", "1"}}, {"2/4", {"--tar"}}}) {
    const Outcome outcome = run_shard(shard, more);
    EXPECT_EQ(outcome.status, kExitUsage);
    EXPECT_THAT(outcome.err, HasSubstr("this job was begun with"));
  }
  std::string config = test::read_file(at("model/config.json"));
  put("model/config.json", config + " ");
  EXPECT_THAT(run_shard("2/4").err, HasSubstr("begun with the model"));
  EXPECT_FALSE(fs::exists(file_of("2")));
}

TEST_F(ShardJobTest, GatherNamesWhatIsMissing) {
  EXPECT_EQ(run_program({"gather", at("nowhere")}).status, kExitFailure);
  run_shard("1/4");
  run_shard("2/4");
  const Outcome outcome = run_program({"gather", at("out"), "-o", at("all.jsonl")});
  EXPECT_EQ(outcome.status, kExitFailure);
  EXPECT_THAT(outcome.err, HasSubstr("shards 0 and 3 of 4 are missing"));
  EXPECT_FALSE(fs::exists(at("all.jsonl")));
}

TEST_F(ShardJobTest, GatherRefusesWhatIsNoShard) {
  for (const char* shard : {"0/4", "1/4", "2/4", "3/4"}) run_shard(shard);
  const std::string whole = test::read_file(file_of("2"));
  const auto num_lines = std::ranges::count(whole, '\n');
  const std::vector<std::pair<std::string, std::int64_t>> damages = {
      {whole.substr(0, whole.size() - 1), num_lines}, {whole + "\n", num_lines + 1}, {"{}\n" + whole, 1}};
  for (const auto& [damaged, line] : damages) {
    put("out/shard-00002-of-00004.jsonl", damaged);
    const Outcome outcome = run_program({"gather", at("out"), "-o", at("all.jsonl")});
    EXPECT_EQ(outcome.status, kExitFailure);
    EXPECT_THAT(outcome.err, HasSubstr("line " + std::to_string(line) + " is no answer"));
    EXPECT_FALSE(fs::exists(at("all.jsonl")));
  }
  put("out/shard-00002-of-00004.jsonl", whole);
  put("out/shard-00000-of-00008.jsonl", "");
  EXPECT_THAT(run_program({"gather", at("out")}).err, HasSubstr("shards of two jobs"));
}

TEST_F(ShardJobTest, APathIsNoStatus) {
  const std::string name = R"(x","status":"error")";
  put("in/1/" + name, "bytes");
  for (const char* shard : {"0/4", "1/4", "2/4", "3/4"}) run_shard(shard);
  EXPECT_THAT(run_program({"gather", at("out")}).err, HasSubstr("42 files, 1 error\n"));
}

TEST_F(ShardJobTest, WhatKilledTasksLeftIsNoShardAndGoes) {
  fs::create_directories(at("out"));
  for (int i = 0; i < 3; ++i)  // as if by processes of our number on other machines
    put("out/shard-00001-of-00004.jsonl.tmp-" + std::to_string(::getpid()) + "-" + std::to_string(i), "{");
  run_shard("1/4");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(at("out"))) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  EXPECT_THAT(names, ::testing::ElementsAre("job.json", "shard-00001-of-00004.jsonl"));
}

TEST_F(ShardJobTest, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(run_program({"classify", "-m", at("model"), "x", "--shard", "0/2"}).status, kExitUsage);
  EXPECT_EQ(run_program({"classify", "-m", at("model"), "x", "--output-dir", at("out")}).status, kExitUsage);
  EXPECT_EQ(run_program({"classify", "-m", at("model"), "-", "--shard", "0/2", "--output-dir", at("out")}).status,
            kExitUsage);
  EXPECT_EQ(run_shard("0/2", {"--json"}).status, kExitUsage);
  EXPECT_FALSE(fs::exists(at("out")));
}

}  // namespace
}  // namespace byteformer::cli
