// Manifests on disk: one, one a split, and those of Speech Commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data_folder.hpp"
#include "support/errors.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ManifestTest, PathsAreRelativeToItOrAbsolute) {
  DataFolder folder;
  folder.put("files/a");
  folder.put("lists/b");
  const fs::path absolute = folder.put("c");
  const fs::path manifest = folder.put("lists/all.csv", "../files/a,x\nb,y\n" + absolute.string() + ",x\n");
  const DataSet found = find_data_set(manifest, unsplit());
  EXPECT_EQ(found.layout, Layout::kManifest);
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("x:c", "x:files/a", "y:lists/b"));
}

TEST(ManifestTest, JsonLinesMayNameClips) {
  DataFolder folder;
  folder.put("a.wav");
  const fs::path manifest = folder.put("m.jsonl",
                                       "{\"path\": \"a.wav\", \"label\": \"x\", \"offset\": 2}\n"
                                       "{\"path\": \"a.wav\", \"label\": \"y\", \"offset\": 1}\n");
  const DataSet found = find_data_set(manifest, unsplit());
  EXPECT_THAT(found.train,
              ElementsAre(Sample{folder.path() / "a.wav", 1, 1.0}, Sample{folder.path() / "a.wav", 0, 2.0}));
}

TEST(ManifestTest, NamesTheFilesThatAreMissingTenAtMost) {
  DataFolder folder;
  folder.put("a");
  folder.put("m.csv", "a,x\nb,y\nsub,y\n");
  folder.make("sub");
  expect_error(ErrorCode::kInvalidFormat, {"2 files that do not exist", "m.csv:2: b", "m.csv:3: sub"},
               [&] { find_data_set(folder.path() / "m.csv"); });
  std::string text;
  for (int i = 1; i <= 20; ++i) text += "gone" + std::to_string(i) + ",x\n";
  folder.put("m.csv", text);
  try {
    find_data_set(folder.path() / "m.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("names 20 files"));
    EXPECT_THAT(error.what(), HasSubstr("m.csv:10: gone10\n  ..."));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("gone11")));
  }
}

TEST(ManifestTest, AMissingFileIsNotReplacedByOneOfItsName) {
  DataFolder folder;
  folder.put("images/cat/1.png");
  folder.put("images/dog/0.png");
  folder.put("images/dog/1.png");
  const fs::path manifest = folder.put("x.csv", "images/cat/0.png,cat\nimages/cat/1.png,cat\nimages/dog/1.png,dog\n");
  expect_error(ErrorCode::kInvalidFormat, {"names 1 file that does not exist", "x.csv:1: images/cat/0.png"},
               [&] { find_data_set(manifest); });
}

TEST(ManifestTest, FoldersOfFilesAreLookedIntoWithTheWholePath) {
  DataFolder folder;
  folder.put_many("images/cat/", 2);
  folder.put_many("images/dog/", 2);
  const fs::path manifest = folder.put("x.csv", "cat/0,cat\ncat/1,cat\ndog/0,dog\ndog\\1,dog\n");
  const DataSet found = find_data_set(manifest, unsplit());
  EXPECT_THAT(folder.names(found, found.train),
              ElementsAre("cat:images/cat/0", "cat:images/cat/1", "dog:images/dog/0", "dog:images/dog/1"));
}

TEST(ManifestTest, AFileMayStandTwiceOnlyWithOneLabel) {
  DataFolder folder;
  folder.put("a");
  folder.put("b");
  const fs::path manifest = folder.put("m.csv", "a,x\nb,y\n./a,x\n");
  const DataSet found = find_data_set(manifest, unsplit());
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_THAT(all_remarks(found), HasSubstr("lines that name a file again (1): "));
  folder.put("m.csv", "a,x\nb,y\na,y\n");
  expect_error(ErrorCode::kInvalidFormat, {"m.csv:3", "\"y\"", "line 1", "\"x\""}, [&] { find_data_set(manifest); });
}

TEST(ManifestTest, EmptyFilesAreSkipped) {
  DataFolder folder;
  folder.put("a", "");
  folder.put("b");
  folder.put("c");
  const fs::path manifest = folder.put("m.csv", "a,x\nb,x\nc,y\n");
  const DataSet found = find_data_set(manifest, unsplit());
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_THAT(all_remarks(found), HasSubstr("empty files (1)"));
}

TEST(ManifestFolderTest, TakesOneManifestASplit) {
  DataFolder folder;
  for (const char* name : {"1", "2", "3", "4"}) folder.put(name);
  folder.put("train.csv", "path,label\n1,x\n2,y\n");
  folder.put("val.jsonl", "{\"path\": \"3\", \"label\": \"x\"}\n");
  folder.put("test.csv", "label,path\ny,4\nx,1\n");
  const DataSet found = folder.find();
  EXPECT_EQ(found.layout, Layout::kManifest);
  EXPECT_TRUE(found.has_own_validation);
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("x:1", "y:2"));
  EXPECT_THAT(folder.names(found, found.validation), ElementsAre("x:3"));
  EXPECT_THAT(folder.names(found, found.test), ElementsAre("x:1", "y:4"));
  EXPECT_THAT(found.remarks, ElementsAre("splits: train.csv to train on, val.jsonl for validation, test.csv for test",
                                         "1 training files are in the test set too"));
  folder.put("train.jsonl", "");
  expect_error(ErrorCode::kInvalidArgument, {"both train.csv and train.jsonl"}, [&] { folder.find(); });
}

std::string line(const std::string& path, const std::string& command) {
  return "{\"audio_filepath\": \"" + path + "\", \"duration\": 1.0, \"command\": \"" + command + "\"}\n";
}

TEST(SpeechCommandsManifestsTest, ReadsTheThreeAndMapsTheNamesOfClasses) {
  DataFolder folder;
  for (const char* name : {"yes/a.wav", "bed/b.wav", "s/c.wav", "yes/d.wav", "yes/e.wav"}) folder.put(name);
  folder.put("train_manifest.json",
             line("yes/a.wav", "yes") + line("bed/b.wav", "_unknown_") + line("s/c.wav", "_silence_"));
  folder.put("validation_manifest.json", line("yes/d.wav", "yes"));
  folder.put("test_manifest.json", line("yes/e.wav", "yes"));
  folder.put("_background_noise_/hum.wav");
  const DataSet found = folder.find();
  EXPECT_EQ(found.layout, Layout::kSpeechCommandsManifests);
  EXPECT_THAT(found.classes, ElementsAre("background", "unknown", "yes"));
  EXPECT_THAT(folder.names(found, found.train),
              ElementsAre("unknown:bed/b.wav", "background:s/c.wav", "yes:yes/a.wav"));
  EXPECT_EQ(found.validation.size(), 1U);
  EXPECT_EQ(found.test.size(), 1U);
  EXPECT_THAT(found.background, ElementsAre(folder.path() / "_background_noise_/hum.wav"));
}

}  // namespace
}  // namespace byteformer::data
