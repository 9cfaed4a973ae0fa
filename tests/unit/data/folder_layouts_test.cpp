// Folders of classes: what counts as a file, links, and which folders are splits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data_folder.hpp"
#include "support/errors.hpp"
#include "support/plain_permissions.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ClassFoldersTest, FindsFilesBelowEachClass) {
  DataFolder folder;
  folder.put("cat/b.png");
  folder.put("cat/more/a.png");
  folder.put("dog/c");
  const DataSet found = folder.find(unsplit());
  EXPECT_EQ(found.layout, Layout::kFolderPerClass);
  EXPECT_THAT(found.classes, ElementsAre("cat", "dog"));
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("cat:cat/b.png", "cat:cat/more/a.png", "dog:dog/c"));
  EXPECT_THAT(found.remarks, IsEmpty());
  EXPECT_EQ(found.split_by, "");
}

TEST(ClassFoldersTest, PassesOverWhatIsNoSampleAndSaysSo) {
  DataFolder folder;
  folder.put("README.md");
  folder.put(".git/config");
  folder.put("cat/a");
  folder.put("cat/.DS_Store");
  folder.put("cat/empty", "");
  folder.put("dog/b");
  fs::create_symlink("nowhere", folder.path() / "dog/broken");
  ASSERT_EQ(::mkfifo((folder.path() / "dog/pipe").c_str(), 0600), 0);
  const DataSet found = folder.find(unsplit());
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("cat:cat/a", "dog:dog/b"));
  const std::string remarks = all_remarks(found);
  for (const char* part : {"hidden entries (2), for example", "empty files (1): ", "broken links (1): ",
                           "neither files nor folders (1): ", "in no folder of a class (1): ", "README.md"})
    EXPECT_THAT(remarks, HasSubstr(part));
}

TEST(ClassFoldersTest, FollowsLinksToFilesAndFoldersOnce) {
  DataFolder folder;
  folder.put("elsewhere/x/1");
  folder.put("data/cat/a");
  folder.put("data/dog/b");
  folder.put("elsewhere/file");
  fs::create_symlink("../../elsewhere/file", folder.path() / "data/dog/link");
  fs::create_symlink("../../elsewhere/x", folder.path() / "data/cat/linked");
  fs::create_symlink("../cat/a", folder.path() / "data/cat/again");
  fs::create_symlink(".", folder.path() / "elsewhere/x/cycle");
  const DataSet found = find_data_set(folder.path() / "data", unsplit());
  const auto names = folder.names(found, found.train);
  EXPECT_THAT(names, ElementsAre("cat:data/cat/a", "cat:data/cat/linked/1", "dog:data/dog/b", "dog:data/dog/link"));
  EXPECT_THAT(all_remarks(found), HasSubstr("links to files that are there already (1): "));
  EXPECT_THAT(all_remarks(found), HasSubstr("folders seen before"));
}

TEST(ClassFoldersTest, NamesOfFilesNeedNotBeUtf8) {
  DataFolder folder;
  folder.put("a/\xFF\xFE.wav");
  folder.put("b/\n.wav");
  EXPECT_EQ(folder.find(unsplit()).train.size(), 2U);
}

TEST(ClassFoldersTest, AnUnreadableFolderIsAnError) {
  const test::PlainPermissions plain;
  DataFolder folder;
  folder.put("a/1");
  const fs::path locked = folder.put("b/c/1").parent_path();
  fs::permissions(locked, fs::perms::none);
  expect_error(ErrorCode::kPermissionDenied, {"b/c"}, [&] { folder.find(); });
  fs::permissions(locked, fs::perms::all);
}

TEST(ClassFoldersTest, FoldersOfUnknownWordsAndOfSilenceHaveTheirClassNames) {
  DataFolder folder;
  folder.put("_unknown_/a");
  folder.put("_silence_/b");
  folder.put("_background_noise_/c");
  folder.put("yes/d");
  const DataSet found = folder.find(unsplit());
  EXPECT_THAT(found.classes, ElementsAre("background", "unknown", "yes"));
  EXPECT_EQ(found.train.size(), 4U);
  EXPECT_THAT(found.background, ElementsAre(folder.path() / "_background_noise_/c"));
}

TEST(SplitFoldersTest, ReadsEverySplitAndAllNamesOfValidation) {
  for (const std::string validation : {"val", "valid", "validation"}) {
    DataFolder folder;
    folder.put("train/cat/a");
    folder.put("train/dog/b");
    folder.put(validation + "/cat/c");
    folder.put("test/dog/d");
    folder.put("README.md");
    const DataSet found = folder.find();
    EXPECT_EQ(found.layout, Layout::kSplitFolders);
    EXPECT_TRUE(found.has_own_validation);
    EXPECT_EQ(found.split_by, "");
    EXPECT_THAT(folder.names(found, found.train), ElementsAre("cat:train/cat/a", "dog:train/dog/b"));
    EXPECT_THAT(folder.names(found, found.validation), ElementsAre("cat:" + validation + "/cat/c"));
    EXPECT_THAT(folder.names(found, found.test), ElementsAre("dog:test/dog/d"));
    EXPECT_THAT(all_remarks(found), HasSubstr("README.md"));
  }
}

TEST(SplitFoldersTest, ReadsTheFoldersOfThePublishedRuns) {
  DataFolder folder;
  folder.put("training/cat/a");
  folder.put("training/dog/b");
  folder.put("validation/cat/c");
  const DataSet found = folder.find();
  EXPECT_EQ(found.layout, Layout::kSplitFolders);
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("cat:training/cat/a", "dog:training/dog/b"));
  EXPECT_THAT(folder.names(found, found.validation), ElementsAre("cat:validation/cat/c"));
}

TEST(SplitFoldersTest, ValidationIsSplitOffWhereThereIsNone) {
  DataFolder folder;
  folder.put_many("train/cat/", 20);
  folder.put_many("train/dog/", 10);
  folder.make("val/cat");
  folder.put("test/cat/a");
  const DataSet found = folder.find();
  EXPECT_FALSE(found.has_own_validation);
  EXPECT_EQ(found.split_by, "file");
  EXPECT_EQ(found.validation.size(), 3U);
  EXPECT_EQ(found.train.size(), 27U);
  EXPECT_TRUE(folder.find(unsplit()).validation.empty());
}

TEST(SplitFoldersTest, TwoValidationFoldersAreAnError) {
  DataFolder folder;
  folder.put("train/a/1");
  folder.put("val/a/1");
  folder.put("valid/a/1");
  expect_error(ErrorCode::kInvalidArgument, {"both val/ and valid/"}, [&] { folder.find(); });
  folder.put("training/a/1");
  expect_error(ErrorCode::kInvalidArgument, {"both train/ and training/", "training files"}, [&] { folder.find(); });
}

TEST(SplitFoldersTest, TestAloneIsEnoughToEvaluate) {
  DataFolder folder;
  folder.put("test/a/1");
  folder.put("test/b/1");
  DataSetOptions evaluation;
  evaluation.needs_training_files = false;
  const DataSet found = folder.find(evaluation);
  EXPECT_EQ(found.layout, Layout::kSplitFolders);
  EXPECT_TRUE(found.train.empty());
  EXPECT_EQ(evaluation_samples(found).size(), 2U);
}

TEST(SplitFoldersTest, ClassesMayBeCalledAsSplitsAre) {
  DataFolder vehicles;
  vehicles.put("train/1.png");
  vehicles.put("bus/2.png");
  EXPECT_THAT(vehicles.find(unsplit()).classes, ElementsAre("bus", "train"));
  DataFolder words;
  words.put("test/speaker/1.wav");
  words.put("word/speaker/2.wav");
  EXPECT_THAT(words.find(unsplit()).classes, ElementsAre("test", "word"));
}

}  // namespace
}  // namespace byteformer::data
