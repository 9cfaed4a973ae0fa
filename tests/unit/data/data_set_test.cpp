// Classes, their order, and what find_data_set refuses whatever the layout.
#include "data/data_set.hpp"

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
using testing::IsEmpty;

std::vector<std::string> classes_of(const std::vector<std::string>& names) {
  DataFolder folder;
  for (const std::string& name : names) folder.put(name + "/file");
  return folder.find(unsplit()).classes;
}

TEST(DataSetTest, ClassesAreSortedNumbersFirstAndInTheirOrder) {
  EXPECT_THAT(classes_of({"10", "9", "1", "0"}), ElementsAre("0", "1", "9", "10"));
  EXPECT_THAT(classes_of({"zebra", "Zoo", "ant", "2"}), ElementsAre("2", "Zoo", "ant", "zebra"));
  EXPECT_THAT(classes_of({"2", "10", "1a", "02", "007"}), ElementsAre("02", "2", "007", "10", "1a"));
  EXPECT_THAT(classes_of({"00", "0", "99999999999999999999999", "5"}),
              ElementsAre("0", "00", "5", "99999999999999999999999"));
}

TEST(DataSetTest, LabelsFollowTheClassesOfAModel) {
  DataFolder folder;
  folder.put("cat/1");
  folder.put("dog/2");
  DataSetOptions options = unsplit();
  options.classes = {{"dog", "bird", "cat"}};
  const DataSet found = folder.find(options);
  EXPECT_EQ(found.classes, *options.classes);
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("cat:cat/1", "dog:dog/2"));
  EXPECT_EQ(found.train[0].label, 2);
  EXPECT_THAT(found.remarks, ElementsAre("no training files of \"bird\""));
  options.classes = {{"cat", "bird"}};
  expect_error(ErrorCode::kInvalidArgument, {"the model lacks: \"dog\"", "\"cat\", \"bird\""},
               [&] { folder.find(options); });
}

TEST(DataSetTest, FoldersMayBeCalledByTheAliasesOfAModelsClasses) {
  DataFolder folder;
  folder.put("train/n01/1");
  folder.put("train/dog/2");
  folder.put("test/n02/3");
  folder.put("test/n01/4");
  DataSetOptions options = unsplit();
  options.classes = {{"dog", "cat"}};
  options.aliases = {{"n01", "cat"}, {"n02", "dog"}, {"dog", "cat"}};  // a class's own name wins
  const DataSet found = folder.find(options);
  EXPECT_EQ(found.classes, *options.classes);
  EXPECT_THAT(folder.names(found, found.train), ElementsAre("dog:train/dog/2", "cat:train/n01/1"));
  EXPECT_THAT(folder.names(found, found.test), ElementsAre("cat:test/n01/4", "dog:test/n02/3"));
  options.aliases.erase("n02");
  expect_error(ErrorCode::kInvalidArgument, {"the model lacks: \"n02\""}, [&] { folder.find(options); });
}

TEST(DataSetTest, OneClassIsEnoughOnlyForAModel) {
  DataFolder folder;
  folder.put("cat/1");
  expect_error(ErrorCode::kInvalidArgument, {"one class only, \"cat\""}, [&] { folder.find(); });
  DataSetOptions options;
  options.classes = {{"cat", "dog"}};
  EXPECT_EQ(folder.find(options).train.size(), 1U);
}

TEST(DataSetTest, RefusesWhatHoldsNoData) {
  DataFolder folder;
  expect_error(ErrorCode::kNotFound, {"gone"}, [&] { find_data_set(folder.path() / "gone"); });
  expect_error(ErrorCode::kInvalidArgument, {"no labelled files"}, [&] { folder.find(); });
  const fs::path file = folder.put("a.txt");
  expect_error(ErrorCode::kInvalidArgument, {"a.txt", "manifest"}, [&] { find_data_set(file); });
  expect_error(ErrorCode::kInvalidArgument, {"no labelled files", "in no folder of a class (1)", "a.txt"},
               [&] { folder.find(); });
  folder.put("c/empty", "");
  expect_error(ErrorCode::kInvalidArgument, {"no labelled files", "empty files (1)"}, [&] { folder.find(); });
}

TEST(DataSetTest, AClassFolderWithoutTrainingFilesIsAnErrorIfThereIsSomethingToTrain) {
  DataFolder folder;
  folder.put("train/cat/1");
  folder.put("train/dog/1");
  folder.make("train/bird");
  folder.put("test/bird/1");
  expect_error(ErrorCode::kInvalidArgument, {"no file to train on", "\"bird\""}, [&] { folder.find(); });
  DataSetOptions options;
  options.classes = {{"bird", "cat", "dog"}};
  EXPECT_THAT(all_remarks(folder.find(options)), HasSubstr("no training files of \"bird\""));
  fs::remove_all(folder.path() / "train/cat");
  fs::remove_all(folder.path() / "train/dog");
  folder.put("test/dog/1");
  DataSetOptions evaluation;
  evaluation.needs_training_files = false;
  EXPECT_EQ(folder.find(evaluation).test.size(), 2U);
}

TEST(DataSetTest, AClassThatOnlyTestHasIsARemark) {
  DataFolder folder;
  folder.put("train/cat/1");
  folder.put("train/dog/1");
  folder.put("test/bird/1");
  const DataSet found = folder.find(unsplit());
  EXPECT_THAT(found.classes, ElementsAre("bird", "cat", "dog"));
  EXPECT_EQ(found.test.size(), 1U);
  EXPECT_THAT(found.remarks,
              ElementsAre("splits: train/ to train on, test/ for test", "no training files of \"bird\""));
  DataSetOptions evaluation = unsplit();
  evaluation.needs_training_files = false;
  EXPECT_THAT(folder.find(evaluation).remarks, ElementsAre("splits: train/ to train on, test/ for test"));
}

TEST(DataSetTest, ClassNamesMustBeUtf8) {
  DataFolder folder;
  folder.put("a/1");
  folder.put("\xFF/1");
  expect_error(ErrorCode::kInvalidArgument, {"\\xff", "UTF-8"}, [&] { folder.find(); });
}

TEST(DataSetTest, TheFractionMustMakeSense) {
  DataFolder folder;
  folder.put_many("a/", 4);
  folder.put_many("b/", 4);
  DataSetOptions options;
  for (const double fraction : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    options.validation_fraction = fraction;
    expect_error(ErrorCode::kInvalidArgument, {"validation fraction"}, [&] { folder.find(options); });
  }
  options.validation_fraction = 0;
  EXPECT_THAT(folder.find(options).validation, IsEmpty());
  options.validation_fraction = 0.5;
  EXPECT_EQ(folder.find(options).validation.size(), 4U);
}

TEST(DataSetTest, TheSplitDoesNotDependOnWhereTheFolderLies) {
  std::vector<std::vector<std::string>> splits;
  for (int i = 0; i < 2; ++i) {
    DataFolder folder;
    for (int k = 0; k < 50; ++k) folder.put("a/" + std::to_string(i == 0 ? k : 49 - k));  // another order on disk
    folder.put_many("b/", 50);
    const DataSet found = folder.find();
    splits.push_back(folder.names(found, found.validation));
  }
  EXPECT_EQ(splits[0], splits[1]);
  EXPECT_EQ(splits[0].size(), 10U);
}

TEST(DataSetTest, EvaluatesTestElseValidationElseAll) {
  DataSet data_set;
  data_set.train = {Sample{"a", 0, {}}};
  EXPECT_EQ(&evaluation_samples(data_set), &data_set.train);
  data_set.validation = {Sample{"b", 0, {}}};
  EXPECT_EQ(&evaluation_samples(data_set), &data_set.validation);
  data_set.test = {Sample{"c", 0, {}}};
  EXPECT_EQ(&evaluation_samples(data_set), &data_set.test);
}

}  // namespace
}  // namespace byteformer::data
