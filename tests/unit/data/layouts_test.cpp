// Data sets as people and other programs lay them out: what became of each folder and list, and what is said of it.
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
using testing::Not;

class LayoutsTest : public DataFolderTest {};

// ---- folders of splits

TEST_F(LayoutsTest, SplitsMayBeSpelledAsPeopleDo) {
  const std::vector<std::vector<std::string>> spellings = {{"Train", "Val", "Test"},
                                                           {"Training", "Validation", "Testing"},
                                                           {"training_set", "dev-set", "test_set"},
                                                           {"TRAIN", "VALID", "TEST"},
                                                           {"train2017", "val2017", "test2017"},
                                                           {"seg_train", "seg_dev", "seg_test"},
                                                           {"trainData", "valData", "testData"},
                                                           {"Train Images", "Dev Images", "Evaluation Images"}};
  for (const auto& names : spellings) {
    DataFolder folder;
    for (const std::string& name : names)
      for (const char* file : {"cat/1", "dog/2"}) folder.put(name + "/" + file);
    const DataSet found = folder.find();
    EXPECT_THAT(found.classes, ElementsAre("cat", "dog")) << names[0];
    EXPECT_THAT(folder.names(found, found.train),
                ElementsAre("cat:" + names[0] + "/cat/1", "dog:" + names[0] + "/dog/2"));
    EXPECT_EQ(found.validation.size(), 2U) << names[1];
    EXPECT_EQ(found.test.size(), 2U) << names[2];
    EXPECT_THAT(all_remarks(found), HasSubstr("splits: " + names[0] + "/ to train on, " + names[1] +
                                              "/ for validation, " + names[2] + "/ for test"));
  }
}

TEST_F(LayoutsTest, ASplitWithoutClassesDoesNotMakeClassesOfTheOthers) {
  put_all({"train/cat/1", "train/dog/2", "test/3", "test/4"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:train/cat/1", "dog:train/dog/2"));
  EXPECT_THAT(test(found), IsEmpty());
  EXPECT_THAT(all_remarks(found), HasSubstr("test/ holds 2 files without classes: not used"));
  folder_.make("val");
  EXPECT_THAT(all_remarks(folder_.find(unsplit())), HasSubstr("val/ is empty"));
}

TEST_F(LayoutsTest, ATestSetBesideTheClassesIsNotTrainedOn) {
  put_all({"cat/1", "dog/2", "test/3"});
  EXPECT_THAT(train(folder_.find(unsplit())), ElementsAre("cat:cat/1", "dog:dog/2"));
  fs::remove(folder_.path() / "test/3");
  put_all({"test/cat/3", "test/dog/4"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/1", "dog:dog/2"));
  EXPECT_THAT(test(found), ElementsAre("cat:test/cat/3", "dog:test/dog/4"));
  EXPECT_THAT(all_remarks(found), HasSubstr("splits: the other folders to train on, test/ for test"));
}

TEST_F(LayoutsTest, NothingToTrainOnIsAnErrorWhereTrainingWantsSome) {
  put_all({"val/cat/1", "val/dog/2", "test/cat/3", "test/dog/4"});
  expect_error(ErrorCode::kInvalidArgument, {"no files to train on", "splits: val/ for validation, test/ for test"},
               [&] { folder_.find(); });
  DataSetOptions evaluation;
  evaluation.needs_training_files = false;
  EXPECT_EQ(folder_.find(evaluation).test.size(), 2U);
}

TEST_F(LayoutsTest, FlatSplitsWithoutALabelAnywhereAreAnError) {
  put_all({"train/cat.0.jpg", "train/dog.0.jpg", "test/1.jpg"});
  expect_error(ErrorCode::kInvalidArgument, {"no labelled files", "train/ holds 2 files without classes"},
               [&] { folder_.find(); });
}

TEST_F(LayoutsTest, FoldersThatHoldTheSameFoldersAreNoClasses) {
  put_all({"genres_original/blues/1", "genres_original/jazz/2", "images_original/blues/3", "images_original/jazz/4"});
  expect_error(ErrorCode::kInvalidArgument, {"genres_original/, images_original/", "(blues, jazz)", "look like splits"},
               [&] { folder_.find(); });
  DataSetOptions known = unsplit();
  known.classes = {{"genres_original", "images_original"}};  // a model says that they are classes
  EXPECT_EQ(folder_.find(known).train.size(), 4U);
}

TEST_F(LayoutsTest, ARareClassMayLackInAFolderThatIsNoClass) {
  put_all({"part1/cat/1", "part1/dog/2", "part1/cow/3", "part2/cat/4", "part2/dog/5"});
  expect_error(ErrorCode::kInvalidArgument, {"part1/, part2/", "(cat, dog)", "look like splits"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, WhatLiesBesideTheFilesIsNoClass) {
  put_all({"audio/1.wav", "audio/2.wav", "meta/esc50.csv", "tests/test.py", "README.md"});
  expect_error(ErrorCode::kInvalidArgument, {"audio/, meta/, tests/", "not like classes", "meta/esc50.csv"},
               [&] { folder_.find(); });
}

TEST_F(LayoutsTest, FoldersOfClassesBesideListsAreNamed) {
  put_all({"images/pie/1.jpg", "images/soup/2.jpg", "meta/train.txt"});
  expect_error(ErrorCode::kInvalidArgument, {"images/, meta/", "images if its folders are the classes"},
               [&] { folder_.find(); });
}

TEST_F(LayoutsTest, ASplitBesideAnnotationsIsNoClass) {
  put_all({"train2017/1.jpg", "annotations/instances.json"});
  expect_error(ErrorCode::kInvalidArgument, {"annotations/, train2017/"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, ClassesNamedLikeWhatLiesBesideStayClasses) {
  put_all({"docs/1", "letters/2", "code/3"});
  EXPECT_EQ(folder_.find(unsplit()).classes.size(), 3U);
}

TEST_F(LayoutsTest, SplitsInSomeClassesAloneAreAQuestion) {
  put_all({"cat/train/1", "cat/test/2", "dog/train/3", "dog/test/4", "cow/5"});
  expect_error(ErrorCode::kInvalidArgument, {"cat/ holds splits (test/, train/)", "cow/ does not"},
               [&] { folder_.find(); });
}

TEST_F(LayoutsTest, ModelsThatWereTrainedInTheDataAreNoClasses) {
  put_all({"cat/1", "dog/2", "model/config.json", "model/training/plan.json", "cat/again/training/plan.json"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/1", "dog:dog/2"));
  EXPECT_THAT(all_remarks(found), HasSubstr("models that were trained here (2)"));
}

TEST_F(LayoutsTest, OneClassBesideATestSetIsExplained) {
  put_all({"control/1", "control/2", "test/3"});
  expect_error(ErrorCode::kInvalidArgument, {"one class only, \"control\"", "test/ for test"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, ClassesMayHoldTheirSplits) {
  put_all({"cat/train/1", "cat/test/2", "dog/train/3", "dog/test/4"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/train/1", "dog:dog/train/3"));
  EXPECT_THAT(test(found), ElementsAre("cat:cat/test/2", "dog:dog/test/4"));
  EXPECT_THAT(all_remarks(found), HasSubstr("each hold their own (test/, train/)"));
}

TEST_F(LayoutsTest, PicturesWithBoxesAreNoClasses) {
  put_all({"train/images/1.jpg", "train/labels/1.txt", "valid/images/2.jpg", "valid/labels/2.txt"});
  expect_error(ErrorCode::kInvalidArgument, {"train: images/ and labels/", "boxes"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, WrappersOfArchivesAreNoClasses) {
  put_all({"archive/training_set/training_set/cats/1", "archive/training_set/training_set/dogs/2",
           "archive/test_set/test_set/cats/3", "archive/test_set/test_set/dogs/4", "__MACOSX/archive/._training_set"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(found.classes, ElementsAre("cats", "dogs"));
  EXPECT_EQ(found.test.size(), 2U);
  EXPECT_THAT(all_remarks(found), HasSubstr("the data lie in archive/"));
}

TEST_F(LayoutsTest, SplitsOfASampleBesideTheSplitsAreNotUsed) {
  put_all({"train/cats/1", "train/dogs/2", "valid/cats/3", "valid/dogs/4", "sample/train/cats/5", "models/x"});
  const DataSet found = folder_.find();
  EXPECT_EQ(found.train.size(), 2U);
  EXPECT_EQ(found.validation.size(), 2U);
  EXPECT_THAT(all_remarks(found), HasSubstr("entries beside train/, val/ and test/ (2), for example"));
}

TEST_F(LayoutsTest, NamesOfFilesSayNoSplit) {
  put_all({"photo of a train.jpg", "test tubes.jpg"});
  folder_.put("metadata.jsonl",
              "{\"file_name\": \"photo of a train.jpg\", \"label\": \"vehicle\"}\n"
              "{\"file_name\": \"test tubes.jpg\", \"label\": \"glass\"}\n");
  EXPECT_EQ(folder_.find(unsplit()).train.size(), 2U);
}

// ---- what systems leave, links, Unicode

TEST_F(LayoutsTest, WhatSystemsLeaveIsNoClassAndNoFile) {
  put_all({"cat/1", "dog/2", "__MACOSX/cat/._1", "cat/Thumbs.db", "dog/desktop.ini", "cat/.DS_Store", "dog/._2",
           "@eaDir/x", "cat/@eaDir/1@thumb"});
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/1", "dog:dog/2"));
  EXPECT_THAT(all_remarks(found), HasSubstr("what systems leave behind"));
}

TEST_F(LayoutsTest, OneFileUnderTwoLabelsIsAnError) {
  put_all({"cat/1", "dog/2"});
  fs::create_symlink("../cat/1", folder_.path() / "dog/link");
  expect_error(ErrorCode::kInvalidArgument, {"cat/1", "dog/link", "one file", "\"cat\" and \"dog\""},
               [&] { folder_.find(); });
  fs::remove(folder_.path() / "dog/link");
  fs::create_directory_symlink("../cat", folder_.path() / "dog/kittens");
  expect_error(ErrorCode::kInvalidArgument, {"dog/kittens/1", "one file"}, [&] { folder_.find(); });
  fs::remove(folder_.path() / "dog/kittens");
  const fs::path manifest = folder_.put("m.csv", "cat/1,cat\nlink,dog\n");
  fs::create_symlink("cat/1", folder_.path() / "link");
  expect_error(ErrorCode::kInvalidArgument, {"one file"}, [&] { find_data_set(manifest); });
}

TEST_F(LayoutsTest, ALinkToAFolderAboveIsSkipped) {
  put_all({"cat/1", "dog/2"});
  fs::create_directory_symlink("..", folder_.path() / "cat/up");
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:cat/1", "dog:dog/2"));
  EXPECT_THAT(all_remarks(found),
              HasSubstr("links to folders that they lie in (1): " + (folder_.path() / "cat/up").string()));
}

TEST_F(LayoutsTest, ComposedAndDecomposedNamesAreOneClass) {
  put_all({"train/caf\xC3\xA9/1", "train/bar/2", "val/cafe\xCC\x81/3", "val/bar/4"});
  const DataSet found = folder_.find();
  EXPECT_THAT(found.classes, ElementsAre("bar", "caf\xC3\xA9"));
  EXPECT_EQ(found.validation.size(), 2U);
  DataSetOptions of_model;
  of_model.classes = {{"cafe\xCC\x81", "bar"}};  // stays as the model writes it
  EXPECT_EQ(folder_.find(of_model).classes, *of_model.classes);
  EXPECT_EQ(folder_.find(of_model).validation.size(), 2U);
  EXPECT_EQ(
      find_data_set(folder_.put("l.csv", "train/bar/2,caf\xC3\xA9\nval/bar/4,cafe\xCC\x81\ntrain/caf\xC3\xA9/1,z\n"),
                    unsplit())
          .classes.size(),
      2U);
}

// ---- layouts by name

TEST_F(LayoutsTest, KaggleHasFlatFoldersAndTables) {
  put_all({"train/a1.jpg", "train/b2.jpg", "test/c3.jpg"});
  folder_.put("train.csv", "id,breed\na1,boxer\nb2,pug\n");
  folder_.put("test.csv", "id\nc3\n");
  folder_.put("sample_submission.csv", "id,boxer,pug\nc3,0.5,0.5\n");
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("boxer:train/a1.jpg", "pug:train/b2.jpg"));
  EXPECT_THAT(test(found), IsEmpty());
  EXPECT_THAT(all_remarks(found), HasSubstr("test.csv has no labels: not used"));
}

TEST_F(LayoutsTest, KagglesTableMayBeCalledLabels) {
  put_all({"train/a1.jpg", "train/b2.jpg", "test/c3.jpg"});
  folder_.put("labels.csv", "Image,Id\na1.jpg,w_1\nb2.jpg,w_2\n");
  const DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("w_1:train/a1.jpg", "w_2:train/b2.jpg"));
  EXPECT_THAT(all_remarks(found), HasSubstr("train/: labels of labels.csv"));
  EXPECT_THAT(all_remarks(found), Not(HasSubstr("skipped")));
}

TEST_F(LayoutsTest, ImageNetUnpacksWithAFlatValidationSetAndItsList) {
  put_all({"train/n01/n01_1.JPEG", "train/n02/n02_1.JPEG", "val/v_1.JPEG", "val/v_2.JPEG", "test/t_1.JPEG"});
  folder_.put("LOC_val_solution.csv", "ImageId,PredictionString\nv_1,n02 1 2 3 4\nv_2,n01 5 6 7 8 n01 1 1 2 2\n");
  const DataSet found = folder_.find();
  EXPECT_THAT(train(found), ElementsAre("n01:train/n01/n01_1.JPEG", "n02:train/n02/n02_1.JPEG"));
  EXPECT_THAT(validation(found), ElementsAre("n02:val/v_1.JPEG", "n01:val/v_2.JPEG"));
  EXPECT_THAT(all_remarks(found), HasSubstr("val/: labels of LOC_val_solution.csv"));
  EXPECT_THAT(all_remarks(found), HasSubstr("test/ holds 1 file without classes: not used"));
  fs::remove(folder_.path() / "LOC_val_solution.csv");
  folder_.put("val.txt", "v_1.JPEG n02\r\nv_2.JPEG n01\r\n");
  EXPECT_THAT(validation(folder_.find()), ElementsAre("n02:val/v_1.JPEG", "n01:val/v_2.JPEG"));
  folder_.put("val.txt", "v_1.JPEG 1\nv_2.JPEG 0\n");
  expect_error(ErrorCode::kInvalidFormat, {"val.txt", "\"1\"", "as their folders are named"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, TinyImageNetHasItsListInsideTheSplit) {
  put_all({"train/n01/images/1.JPEG", "train/n02/images/2.JPEG", "val/images/v_1.JPEG", "test/images/t_1.JPEG"});
  folder_.put("val/val_annotations.txt", "v_1.JPEG\tn02\t0\t32\t44\t62\n");
  const DataSet found = folder_.find();
  EXPECT_THAT(validation(found), ElementsAre("n02:val/images/v_1.JPEG"));
  EXPECT_THAT(all_remarks(found), HasSubstr("test/ holds 1 file without classes"));
}

TEST_F(LayoutsTest, HuggingFaceHasMetadata) {
  put_all({"train/1.png", "train/2.png", "test/3.png"});
  folder_.put("train/metadata.csv", "file_name,label\n1.png,cat\n2.png,dog\n");
  folder_.put("test/metadata.jsonl", "{\"file_name\": \"3.png\", \"label\": \"dog\"}\n");
  DataSet found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:train/1.png", "dog:train/2.png"));
  EXPECT_THAT(test(found), ElementsAre("dog:test/3.png"));
  fs::remove(folder_.path() / "train/metadata.csv");
  fs::remove(folder_.path() / "test/metadata.jsonl");
  folder_.put("metadata.csv", "file_name,label\ntrain/1.png,cat\ntrain/2.png,dog\ntest/3.png,cat\n");
  found = folder_.find(unsplit());
  EXPECT_THAT(train(found), ElementsAre("cat:train/1.png", "dog:train/2.png"));
  EXPECT_THAT(test(found), ElementsAre("cat:test/3.png"));
  EXPECT_THAT(all_remarks(found), HasSubstr("as the folders say"));
}

TEST_F(LayoutsTest, MetadataOfSomethingElseBesideClassesIsPassedOver) {
  put_all({"cat/1", "dog/2"});
  folder_.put("metadata.csv", "key,value,unit\na,b,c\n");
  EXPECT_THAT(train(folder_.find(unsplit())), ElementsAre("cat:cat/1", "dog:dog/2"));
}

TEST_F(LayoutsTest, KerasUnpacksWithScriptsBesideTheSplits) {
  put_all({"cats_and_dogs_filtered/train/cats/1.jpg", "cats_and_dogs_filtered/train/dogs/2.jpg",
           "cats_and_dogs_filtered/validation/cats/3.jpg", "cats_and_dogs_filtered/validation/dogs/4.jpg",
           "cats_and_dogs_filtered/vectorize.py"});
  const DataSet found = folder_.find();
  EXPECT_THAT(found.classes, ElementsAre("cats", "dogs"));
  EXPECT_EQ(found.validation.size(), 2U);
}

TEST_F(LayoutsTest, RoboflowHasAColumnPerClass) {
  put_all({"train/1.jpg", "train/2.jpg", "valid/3.jpg", "README.roboflow.txt"});
  folder_.put("train/_classes.csv", "filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 0, 1\n");
  folder_.put("valid/_classes.csv", "filename, cat, dog\n3.jpg, 0, 1\n");
  const DataSet found = folder_.find();
  EXPECT_THAT(train(found), ElementsAre("cat:train/1.jpg", "dog:train/2.jpg"));
  EXPECT_THAT(validation(found), ElementsAre("dog:valid/3.jpg"));
  folder_.put("train/_classes.csv", "filename, cat, dog\n1.jpg, 1, 1\n");
  expect_error(ErrorCode::kUnsupported, {"_classes.csv:2", "one class only"}, [&] { folder_.find(); });
}

TEST_F(LayoutsTest, KaldiHasTables) {
  put_all({"wav/u1.wav", "wav/u2.wav", "wav/u3.wav"});
  folder_.put("data/train/wav.scp", "u1 wav/u1.wav\nu2 " + (folder_.path() / "wav/u2.wav").string() + "\n");
  folder_.put("data/train/text", "u1 yes\nu2 no\n");
  folder_.put("data/dev/wav.scp", "u3 wav/u3.wav\n");
  folder_.put("data/dev/text", "u3 yes\n");
  const DataSet found = find_data_set(folder_.path() / "data");
  EXPECT_THAT(train(found), ElementsAre("yes:wav/u1.wav", "no:wav/u2.wav"));
  EXPECT_THAT(validation(found), ElementsAre("yes:wav/u3.wav"));
  folder_.put("data/train/wav.scp", "u1 sox x.flac -t wav - |\n");
  expect_error(ErrorCode::kUnsupported, {"wav.scp:1", "commands"}, [&] { find_data_set(folder_.path() / "data"); });
}

TEST_F(LayoutsTest, NeMoHasJsonLinesWithClips) {
  put_all({"a.wav", "b.wav"});
  const fs::path manifest =
      folder_.put("m.json",
                  "{\"audio_filepath\": \"a.wav\", \"offset\": 1.5, \"duration\": 0.5, \"command\": \"yes\"}\n"
                  "{\"audio_filepath\": \"b.wav\", \"duration\": null, \"command\": \"no\"}\n");
  EXPECT_THAT(find_data_set(manifest, unsplit()).train,
              ElementsAre(Sample{folder_.path() / "a.wav", 1, 1.5, 0.5}, Sample{folder_.path() / "b.wav", 0, {}, {}}));
}

TEST_F(LayoutsTest, TablesMaySayTheSplit) {
  for (const char* name : {"0", "1", "2", "3"}) folder_.put(std::string("x/") + name + ".png");
  const auto find = [&](const std::string& text, const char* name = "m.csv") {
    return find_data_set(folder_.put(name, text), unsplit());
  };
  for (const char* column : {"split", "Set", "subset", "Partition", "data set", "Usage", "fold"}) {
    const DataSet found = find("\xEF\xBB\xBFImage Path;Label;" + std::string(column) +
                               "\r\nx/0.png;a;Train\r\nx/1.png;b;TRAINING\r\nx/2.png;a;val\r\nx/3.png;b;Test\r\n");
    EXPECT_THAT(train(found), ElementsAre("a:x/0.png", "b:x/1.png")) << column;
    EXPECT_THAT(validation(found), ElementsAre("a:x/2.png")) << column;
    EXPECT_THAT(test(found), ElementsAre("b:x/3.png")) << column;
    EXPECT_THAT(all_remarks(found), HasSubstr("2 to train on, 1 for validation, 1 for test"));
  }
  EXPECT_EQ(find("fname\tlabels\tis_valid\nx/0.png\ta\tFalse\nx/1.png\tb\tFalse\nx/2.png\ta\tTrue\n", "m.tsv")
                .validation.size(),
            1U);
  EXPECT_EQ(find("{\"path\": \"x/0.png\", \"label\": 0, \"split\": \"train\"}\n"
                 "{\"path\": \"x/1.png\", \"label\": 1, \"split\": \"test\"}\n",
                 "m.jsonl")
                .test.size(),
            1U);
  EXPECT_THAT(all_remarks(find("path,label,fold\nx/0.png,a,1\nx/1.png,b,1\nx/2.png,a,2\nx/3.png,b,10\n")),
              HasSubstr("fold 10 of 3 is for validation (1 files)"));
  expect_error(ErrorCode::kInvalidFormat, {"m.csv:3", "split is \"extra\"", "train, val or test"},
               [&] { find("path,label,split\nx/0.png,a,train\nx/1.png,b,extra\n"); });
  EXPECT_THAT(all_remarks(find("path,label,subset\nx/0.png,a,left\nx/1.png,b,right\n")),
              HasSubstr("\"subset\" names no train, val or test"));
}

TEST_F(LayoutsTest, PathsMayLackFolderOrEndingOrComeFromWindows) {
  put_all({"images/1.png", "images/sub/2.png"});
  const DataSet found = find_data_set(folder_.put("m.csv", "image_id,class\n1,a\n2.png,b\n"), unsplit());
  EXPECT_THAT(train(found), ElementsAre("a:images/1.png", "b:images/sub/2.png"));
  EXPECT_EQ(find_data_set(folder_.put("m.csv", "images\\1.png,a\nimages\\sub\\2.png,b\n"), unsplit()).train.size(), 2U);
}

TEST_F(LayoutsTest, ColumnsThatCutPartsOutOfFilesAreRefusedByName) {
  folder_.put("1.png");
  expect_error(ErrorCode::kUnsupported, {"\"xmin\"", "cut the files first"},
               [&] { find_data_set(folder_.put("m.csv", "filename,class,xmin,xmax\n1.png,a,1,2\n")); });
  expect_error(ErrorCode::kUnsupported, {"\"start_ms\""},
               [&] { find_data_set(folder_.put("m.csv", "filename,class,start_ms\n1.png,a,1\n")); });
  expect_error(ErrorCode::kUnsupported, {"UTF-16"}, [&] { find_data_set(folder_.put("m.csv", "\xFF\xFEp\0")); });
}

}  // namespace
}  // namespace byteformer::data
