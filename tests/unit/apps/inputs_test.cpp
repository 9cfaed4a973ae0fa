// The sequence of inputs: order, folders, lists, and what cannot be listed.
#include "classify/inputs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "exit_status.hpp"
#include "support/plain_permissions.hpp"

namespace byteformer::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InputsTest : public ::testing::Test {
 protected:
  InputsTest() : root_(fs::temp_directory_path() / ("byteformer-inputs-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~InputsTest() override { fs::remove_all(root_); }

  void touch(const std::string& name) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "x";
  }
  std::string at(const std::string& name) const { return (root_ / name).native(); }

  static std::vector<Input> all(InputOptions options) {
    Inputs inputs(std::move(options));
    std::vector<Input> result;
    while (auto input = inputs.next()) result.push_back(std::move(*input));
    return result;
  }
  /// Paths relative to the root, with an exclamation mark where there is an error.
  std::vector<std::string> names(InputOptions options) const {
    std::vector<std::string> result;
    for (const Input& input : all(std::move(options))) {
      const bool is_below = input.path.starts_with(root_.native());
      result.push_back((is_below ? input.path.substr(root_.native().size() + 1) : input.path) +
                       (input.error ? "!" : ""));
    }
    return result;
  }

  fs::path root_;
};

TEST_F(InputsTest, KeepTheOrderOfTheCommandLine) {
  EXPECT_THAT(names({.paths = {at("b"), "-", at("a"), at("b")}}), ElementsAre("b", "-", "a", "b"));
}

TEST_F(InputsTest, OnlyADashOnTheCommandLineIsStandardInput) {
  std::istringstream list("-\n");
  const auto inputs = all({.paths = {"-"}, .list = &list});
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_TRUE(inputs[0].is_standard_input);
  EXPECT_FALSE(inputs[1].is_standard_input);
}

TEST_F(InputsTest, AFolderIsAnErrorThatTeaches) {
  touch("folder/a");
  const auto inputs = all({.paths = {at("folder")}});
  ASSERT_EQ(inputs.size(), 1U);
  EXPECT_EQ(inputs[0].error->code(), ErrorCode::kNotARegularFile);
  EXPECT_THAT(inputs[0].error->what(), HasSubstr("-r"));
}

TEST_F(InputsTest, FoldersAreWalkedInSortedOrder) {
  touch("d/z");
  touch("d/a/2");
  touch("d/a/1");
  touch("d/b");
  EXPECT_THAT(names({.paths = {at("d")}, .is_recursive = true}), ElementsAre("d/a/1", "d/a/2", "d/b", "d/z"));
}

TEST_F(InputsTest, NothingBelowAFolderIsSkipped) {
  touch("d/file");
  ASSERT_EQ(::mkfifo(at("d/fifo").c_str(), 0600), 0);
  fs::create_symlink("nowhere", root_ / "d" / "dangling");
  fs::create_directory(root_ / "d" / "empty");
  EXPECT_THAT(names({.paths = {at("d")}, .is_recursive = true}), ElementsAre("d/dangling", "d/fifo", "d/file"));
}

TEST_F(InputsTest, AGivenFolderWithoutFilesIsAnError) {
  fs::create_directories(root_ / "d" / "empty" / "deeper");
  touch("full/file");
  const auto inputs = all({.paths = {at("d"), at("full"), at("d/empty")}, .is_recursive = true});
  ASSERT_EQ(inputs.size(), 3U);
  ASSERT_TRUE(inputs[0].error && inputs[2].error);
  EXPECT_EQ(inputs[0].error->code(), ErrorCode::kNotFound);
  EXPECT_EQ(inputs[0].path, at("d"));
  EXPECT_THAT(inputs[0].error->what(), HasSubstr(at("d") + ": there is no file in this folder"));
  EXPECT_EQ(inputs[2].path, at("d/empty"));
}

TEST_F(InputsTest, LinksThatLeadBackEndInAnError) {
  touch("d/e/file");
  fs::create_directory_symlink(root_ / "d", root_ / "d" / "e" / "loop");
  fs::create_directory_symlink(".", root_ / "d" / "self");
  EXPECT_THAT(names({.paths = {at("d")}, .is_recursive = true}), ElementsAre("d/e/file", "d/e/loop!", "d/self!"));
}

TEST_F(InputsTest, LinkedFoldersAreFollowed) {
  touch("elsewhere/file");
  fs::create_directory(root_ / "d");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "d" / "link");
  EXPECT_THAT(names({.paths = {at("d")}, .is_recursive = true}), ElementsAre("d/link/file"));
}

TEST_F(InputsTest, AFolderThatCannotBeListedIsAnError) {
  const test::PlainPermissions plain;
  touch("d/locked/file");
  touch("d/open");
  fs::permissions(root_ / "d" / "locked", fs::perms::none);
  const auto found = names({.paths = {at("d")}, .is_recursive = true});
  fs::permissions(root_ / "d" / "locked", fs::perms::owner_all);
  EXPECT_THAT(found, ElementsAre("d/locked!", "d/open"));
}

TEST_F(InputsTest, ListsAreReadLineByLine) {
  std::istringstream list("a b\n\n\r\nlast");
  EXPECT_THAT(names({.paths = {"first"}, .list = &list}), ElementsAre("first", "a b", "last"));
}

TEST_F(InputsTest, ListsMayComeFromWindows) {
  touch("odd\r");  // whose name ends as such lines do
  std::istringstream list("a\r\n\r\nb c\r\n" + at("odd\r") + "\nlast\r");
  EXPECT_THAT(names({.paths = {}, .list = &list}), ElementsAre("a", "b c", "odd\r", "last"));
}

TEST_F(InputsTest, WhatSystemsLeaveInFoldersIsNoInput) {
  for (const char* name : {"d/1.png", "d/._1.png", "d/.DS_Store", "d/Thumbs.db", "d/desktop.ini", "__MACOSX/d/._1.png"})
    touch(name);
  EXPECT_THAT(names({.paths = {root_.native()}, .is_recursive = true}), ElementsAre("d/1.png"));
  EXPECT_THAT(names({.paths = {at("d/Thumbs.db")}}), ElementsAre("d/Thumbs.db"));  // asked for by name
}

TEST_F(InputsTest, ListsMayBeSeparatedByZeroBytes) {
  std::istringstream list(std::string("a\nb\0c\0", 6));
  EXPECT_THAT(names({.paths = {}, .list = &list, .list_separator = '\0'}), ElementsAre("a\nb", "c"));
}

TEST_F(InputsTest, ZeroBytesThatNobodyExpectsAreRefused) {
  std::istringstream list(std::string("a\0c\0", 4));
  EXPECT_THROW(all({.paths = {}, .list = &list}), UsageError);
}

TEST_F(InputsTest, AByteOrderMarkIsNoPartOfAName) {
  std::istringstream list("\xEF\xBB\xBF" "a\r\n\xEF\xBB\xBF" "b\n");
  EXPECT_THAT(names({.paths = {}, .list = &list}), ElementsAre("a", "\xEF\xBB\xBF" "b"));
}

TEST_F(InputsTest, AnEndlessLineIsRefused) {
  std::istringstream list(std::string(1'000'000, 'x'));
  EXPECT_THROW(all({.paths = {}, .list = &list}), UsageError);
}

TEST_F(InputsTest, StandardInputIsABatchOfItsOwn) {
  Inputs inputs({.paths = {"a", "b", "c", "-", "d"}});
  std::vector<std::string> batches;
  for (auto batch = inputs.next_batch(2); !batch.empty(); batch = inputs.next_batch(2)) {
    batches.emplace_back();
    for (const Input& input : batch) batches.back() += input.path;
  }
  EXPECT_THAT(batches, ElementsAre("ab", "c", "-", "d"));
}

TEST_F(InputsTest, TheTotalIsKnownOnlyForPlainPaths) {
  std::istringstream list;
  EXPECT_EQ(Inputs({.paths = {"a", "b"}}).total(), 2U);
  EXPECT_EQ(Inputs({.paths = {"a"}, .list = &list}).total(), std::nullopt);
  EXPECT_EQ(Inputs({.paths = {"a"}, .is_recursive = true}).total(), std::nullopt);
}

}  // namespace
}  // namespace byteformer::cli
