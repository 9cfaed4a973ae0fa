// Data sets of the kinds on which other programs failed in public reports. docs/odd-inputs.md says which report each
// stands for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/manifest_text.hpp"
#include "data/survey.hpp"
#include "data_folder.hpp"
#include "support/errors.hpp"

namespace byteformer::data {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReportedTest : public DataFolderTest {
 protected:
  DataSet find_manifest(const std::string& name, const std::string& text) {
    return find_data_set(folder_.put(name, text), unsplit());
  }
};

TEST_F(ReportedTest, LabelsOfATestSetThatLacksAClassGoByName) {
  put_all({"train/0/1", "train/90/2", "train/180/3", "train/270/4", "test/0/5", "test/90/6", "test/270/7"});
  const DataSet found = folder_.find();
  EXPECT_THAT(found.classes, ElementsAre("0", "90", "180", "270"));
  EXPECT_THAT(test(found), ElementsAre("0:test/0/5", "270:test/270/7", "90:test/90/6"));
  EXPECT_THAT(all_remarks(found), HasSubstr("no test files of \"180\""));
}

TEST_F(ReportedTest, AnEmptyClassOfValidationShiftsNoLabels) {
  put_all({"train/a/1", "train/b/2", "train/c/3", "val/a/4", "val/c/5"});
  folder_.make("val/b");
  const DataSet found = folder_.find();
  EXPECT_THAT(folder_.names(found, found.validation), ElementsAre("a:val/a/4", "c:val/c/5"));
  fs::remove(folder_.path() / "train/b/2");
  expect_error(ErrorCode::kInvalidArgument, {"no file to train on", "\"b\"", "remove the empty folder"},
               [&] { folder_.find(); });
}

TEST_F(ReportedTest, ClassesThatDifferInCaseBetweenSplitsAreAnError) {
  put_all({"train/cat/1", "train/dog/2", "val/Cat/3", "val/dog/4"});
  expect_error(ErrorCode::kInvalidArgument, {"\"Cat\" for validation or test", "\"cat\" to train on", "one name"},
               [&] { folder_.find(); });
  put_all({"train/Cat/5"});  // letters, say
  EXPECT_THAT(folder_.find().classes, ElementsAre("Cat", "cat", "dog"));
}

TEST_F(ReportedTest, EndingsAndCheckpointsOfNotebooksDecideNothing) {
  put_all(
      {"cat/1.JPEG", "cat/2.jpg", "dog/3.PNG", "dog/4", ".ipynb_checkpoints/5.jpg", "dog/.ipynb_checkpoints/6.jpg"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/1.JPEG", "cat:cat/2.jpg", "dog:dog/3.PNG", "dog:dog/4"));
  EXPECT_THAT(all_remarks(found), HasSubstr("hidden entries (2)"));
}

TEST_F(ReportedTest, NotesAreFewHoweverManyFilesAreOdd) {
  for (int i = 0; i < 200; ++i) {
    folder_.put("cat/empty" + std::to_string(i), "");
    folder_.put("dog/.hidden" + std::to_string(i));
    folder_.put("README" + std::to_string(i));
    fs::create_symlink("nowhere", folder_.path() / ("cat/broken" + std::to_string(i)));
    folder_.put("cat/" + std::to_string(i));
    fs::create_symlink(std::to_string(i), folder_.path() / ("cat/again" + std::to_string(i)));
  }
  put_all({"dog/1"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_EQ(found.train.size(), 201U);
  EXPECT_EQ(found.remarks.size(), 5U);
  const std::string root = folder_.path().string();
  EXPECT_THAT(all_remarks(found), HasSubstr("skipped empty files (200), for example " + root + "/cat/empty0, " + root +
                                            "/cat/empty1, " + root + "/cat/empty10\n"));
}

TEST_F(ReportedTest, ManyFoldersThatMayBeSplitsAreNamedInFewWords) {
  for (int i = 0; i < 300; ++i)
    for (const char* side : {"/left/1", "/right/2"}) folder_.put("person" + std::to_string(i) + side);
  try {
    folder_.find();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("... (300 in all)"));
    EXPECT_LT(std::string(error.what()).size(), 800U);
  }
}

TEST_F(ReportedTest, PointersOfGitLfsAreNoPictures) {
  for (int i = 0; i < 3; ++i)
    folder_.put("cat/" + std::to_string(i) + ".png", "version https://git-lfs.github.com/spec/v1\noid sha256:ab\n");
  put_all({"dog/1"});
  const Survey survey = look_at(folder_.find(unsplit()));
  EXPECT_EQ(survey.num_looked_at, 1U);
  EXPECT_THAT(survey.disagreement(), HasSubstr("3 Git LFS pointer files could not be read, for example"));
  EXPECT_THAT(survey.disagreement(), HasSubstr("`git lfs pull`"));
}

TEST_F(ReportedTest, AnIndexColumnIsNoFile) {
  put_all({"im/0.png", "im/1.png"});
  EXPECT_THAT(train(find_manifest("m.csv", ",file,label\n0,im/0.png,cat\n1,im/1.png,dog\n")),
              ElementsAre("cat:im/0.png", "dog:im/1.png"));
}

TEST_F(ReportedTest, QuotesInTablesWithTabsMayBeLetters) {
  put_all({"0.mp3", "1.mp3", "2.mp3", "3.mp3"});
  const DataSet found =
      find_manifest("m.tsv",
                    "path\tsentence\tlabel\n0.mp3\t\"Is it?\" he said\tja\n1.mp3\t\"unbalanced\tnein\n"
                    "2.mp3\t\"whole \"\"field\"\"\"\tja\n3.mp3\tNovotor\"yal\tnein\n");
  EXPECT_THAT(train(found), ElementsAre("ja:0.mp3", "nein:1.mp3", "ja:2.mp3", "nein:3.mp3"));
}

TEST_F(ReportedTest, AListOfTestFilesMayHaveAnEmptyColumnOfLabels) {
  put_all({"train/0.png", "train/1.png", "test/2.png"});
  folder_.put("train.csv", "id,label\n0,cat\n1,dog\n");
  folder_.put("test.csv", "id,label\n2,\n");
  const DataSet found = folder_.find(unsplit());
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_THAT(test(found), IsEmpty());
  EXPECT_THAT(all_remarks(found), HasSubstr("test.csv has no labels: not used"));
  folder_.put("train.csv", "id,label\n0,\n1,\n");
  expect_error(ErrorCode::kInvalidFormat, {"train.csv", "it is empty"}, [&] { folder_.find(); });
  folder_.put("train.csv", "id,label\n0,cat\n1,\n");
  expect_error(ErrorCode::kInvalidFormat, {"train.csv:3", "the label is empty"}, [&] { folder_.find(); });
}

TEST_F(ReportedTest, NumbersAndTruthValuesMayBeLabelsInJson) {
  std::vector<std::string> labels;
  for (const char* label : {"3", "3.0", "-1.0", "true", "\"NA\""})
    for (const ManifestEntry& entry :
         parse_json_manifest("{\"path\": \"a\", \"label\": " + std::string(label) + "}", "m.jsonl").entries)
      labels.push_back(entry.label);
  EXPECT_THAT(labels, ElementsAre("3", "3", "-1", "true", "NA"));
  expect_error(ErrorCode::kInvalidFormat, {"label is 1e+300"},
               [] { parse_json_manifest(R"({"path": "a", "label": 1e300})", "m.jsonl"); });
}

TEST_F(ReportedTest, LabelsThatLookLikeNothingAreLabels) {
  put_all({"0", "1", "2"});
  EXPECT_THAT(find_manifest("m.csv", "file,label\n0,NA\n1,nan\n2,NA\n").classes, ElementsAre("NA", "nan"));
}

TEST_F(ReportedTest, NeMoNamesFilesInTwoWays) {
  put_all({"a.wav", "b.wav"});
  EXPECT_THAT(train(find_manifest("m.json",
                                  "\xEF\xBB\xBF{\"audio_filename\": \"a.wav\", \"text\": \"yes\"}\r\n"
                                  "{\"audio_filepath\": \"b.wav\", \"text\": \"no\"}\r\n")),
              ElementsAre("yes:a.wav", "no:b.wav"));
  expect_error(ErrorCode::kInvalidFormat, {"m.json:1", "not valid JSON"},
               [&] { find_manifest("m.json", "{\n  \"audio_filepath\": \"a.wav\",\n  \"text\": \"yes\"\n}\n"); });
}

TEST_F(ReportedTest, AFileWithSeveralLabelsIsAnError) {
  put_all({"0.png", "1.png"});
  expect_error(ErrorCode::kInvalidFormat, {"m.csv:3", "\"dog\"", "line 2", "\"cat\""},
               [&] { find_manifest("m.csv", "file,label\n0.png,cat\n0.png,dog\n1.png,dog\n"); });
}

TEST_F(ReportedTest, MetadataMayLackTheEndingsOfFiles) {
  put_all({"images/RA-1.jpg", "images/RA-2.jpg"});
  EXPECT_THAT(train(find_manifest("m.csv", "filename,finding,class\nRA-1,x,a\nRA-2,y,b\n")),
              ElementsAre("a:images/RA-1.jpg", "b:images/RA-2.jpg"));
}

TEST_F(ReportedTest, ListsOfCaffeNameClassesByNumbersThatOnlyTheirAuthorKnows) {
  put_all({"train/n01/1.JPEG", "train/n02/2.JPEG", "val/3.JPEG"});
  folder_.put("val.txt", "3.JPEG 65\n");
  expect_error(ErrorCode::kInvalidFormat, {"val.txt", "\"65\"", "is a class to train on", "as their folders are named"},
               [&] { folder_.find(); });
}

}  // namespace
}  // namespace byteformer::data
