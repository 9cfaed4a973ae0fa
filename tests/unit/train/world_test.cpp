// What each launcher's environment means, and Slurm's lists of hosts.
#include "train/world.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/errors.hpp"

namespace byteformer::train {
namespace {

using Hosts = std::vector<std::string>;

World world_of(const std::map<std::string, std::string>& variables) {
  return find_world([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found != variables.end() ? std::optional(found->second) : std::nullopt;
  });
}

TEST(WorldTest, WithoutALauncherAProcessIsAlone) {
  const World world = world_of({{"MASTER_ADDR", "a"}, {"WORLD_SIZE", "8"}, {"SLURM_JOB_ID", "7"}});
  EXPECT_EQ(world.size, 1);
  EXPECT_EQ(world.rank, 0);
}

TEST(WorldTest, TorchrunSaysAll) {
  std::map<std::string, std::string> variables{{"RANK", "3"},        {"WORLD_SIZE", "4"},       {"LOCAL_RANK", "1"},
                                               {"MASTER_PORT", "9"}, {"LOCAL_WORLD_SIZE", "2"}, {"MASTER_ADDR", "h"}};
  World world = world_of(variables);
  EXPECT_EQ(world.rank, 3);
  EXPECT_EQ(world.size, 4);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.local_size, 2);
  EXPECT_EQ(world.host, "h");
  EXPECT_EQ(world.port, 9);
  EXPECT_FALSE(world.store_is_launchers);
  EXPECT_EQ(world.prefix, "");
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  variables["TORCHELASTIC_RESTART_COUNT"] = "2";
  world = world_of(variables);
  EXPECT_TRUE(world.store_is_launchers);
  EXPECT_EQ(world.prefix, "/worker/attempt_2");
}

TEST(WorldTest, NamesTheVariableThatIsMissingOrMakesNoSense) {
  const auto expect_named = [](const std::string& name, const std::string& value) {
    std::map<std::string, std::string> variables{
        {"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "h"}, {"MASTER_PORT", "9"}};
    variables[name] = value;
    if (value.empty()) variables.erase(name);
    test::expect_error(ErrorCode::kInvalidArgument, {name}, [&] { world_of(variables); });
  };
  expect_named("MASTER_ADDR", "");
  expect_named("MASTER_PORT", "");
  expect_named("MASTER_PORT", "70000");
  expect_named("RANK", "2");
  expect_named("RANK", "-1");
  expect_named("RANK", "1x");
  expect_named("WORLD_SIZE", "0");
}

TEST(WorldTest, MpiOnOneMachineMeetsThere) {
  const World open = world_of({{"OMPI_COMM_WORLD_RANK", "1"},
                               {"OMPI_COMM_WORLD_SIZE", "2"},
                               {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                               {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  EXPECT_EQ(open.rank, 1);
  EXPECT_EQ(open.host, "127.0.0.1");
  const World hydra = world_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALNRANKS", "2"}});
  EXPECT_EQ(hydra.rank, 1);
  EXPECT_EQ(hydra.host, "127.0.0.1");
}

TEST(WorldTest, MpiOnSeveralMachinesIsToldWhereTheFirstIs) {
  std::map<std::string, std::string> variables{{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}};
  test::expect_error(ErrorCode::kInvalidArgument, {"MASTER_ADDR"}, [&] { world_of(variables); });
  variables["MASTER_ADDR"] = "first";
  EXPECT_EQ(world_of(variables).host, "first");
}

TEST(WorldTest, JobsOfMpiDoNotMeetOneAnother) {
  const auto job = [](const char* name) {
    return world_of({{"OMPI_COMM_WORLD_RANK", "1"},
                     {"OMPI_COMM_WORLD_SIZE", "2"},
                     {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                     {"PMIX_NAMESPACE", name}});
  };
  EXPECT_NE(job("1234").port, job("1235").port);
  EXPECT_NE(job("1234").prefix, job("1235").prefix);
}

TEST(WorldTest, AStepOfSlurmMeetsOnItsFirstHost) {
  const World world = world_of({{"SLURM_PROCID", "5"},
                                {"SLURM_STEP_NUM_TASKS", "7"},
                                {"SLURM_LOCALID", "1"},
                                {"SLURM_NODEID", "2"},
                                {"SLURM_STEP_TASKS_PER_NODE", "2(x3),1"},
                                {"SLURM_STEP_NODELIST", "node[07-09,11]"},
                                {"SLURM_JOB_NODELIST", "login,node[07-09,11]"},
                                {"SLURM_JOB_ID", "4711"},
                                {"SLURM_STEP_ID", "1"}});
  EXPECT_EQ(world.rank, 5);
  EXPECT_EQ(world.size, 7);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.local_size, 2);
  EXPECT_EQ(world.host, "node07");
  EXPECT_GE(world.port, 20'000);
  EXPECT_LT(world.port, 30'000);
}

TEST(WorldTest, ABatchScriptOfSlurmIsNoStep) {
  EXPECT_EQ(world_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_JOB_NODELIST", "a,b"}}).size, 1);
}

TEST(WorldTest, ExpandsListsOfHosts) {
  EXPECT_EQ(expand_hosts("node[01-03,7]"), (Hosts{"node01", "node02", "node03", "node7"}));
  EXPECT_EQ(expand_hosts("login"), Hosts{"login"});
  EXPECT_EQ(expand_hosts("a[9-11]x,b,c[1]"), (Hosts{"a9x", "a10x", "a11x", "b", "c1"}));
  EXPECT_EQ(expand_hosts("r[1-2]n[1,3]"), (Hosts{"r1n1", "r1n3", "r2n1", "r2n3"}));
  EXPECT_EQ(expand_hosts("[1-2]"), (Hosts{"1", "2"}));
}

TEST(WorldTest, RefusesListsThatAreMalformed) {
  for (const char* list : {"", "a,", "a[1", "a]", "a[]", "a[2-1]", "a[x]", "a[1-]", "a[1,]", "a[0-9999999]"})
    test::expect_error(ErrorCode::kInvalidArgument, {"list of hosts"}, [&] { expand_hosts(list); });
}

}  // namespace
}  // namespace byteformer::train
