// What names say of splits, and the Unicode form in which names are compared.
#include "data/names.hpp"

#include <gtest/gtest.h>

namespace byteformer::data {
namespace {

TEST(NamesTest, SplitsAreKnownByTheirUsualSpellings) {
  for (const char* name :
       {"train", "Train", "TRAINING", "training_set", "trainset", "TrainData", "Train Images", "trn"})
    EXPECT_EQ(split_of(name), Split::kTrain) << name;
  for (const char* name : {"val", "Valid", "validation", "VAL_SET", "dev", "valset", "validate", "Development-Set"})
    EXPECT_EQ(split_of(name), Split::kValidation) << name;
  for (const char* name : {"test", "Testing", "test set", "TestData", "eval", "tst", "holdout"})
    EXPECT_EQ(split_of(name), Split::kTest) << name;
  for (const char* name : {"", "cat", "trainer", "contest", "testament", "invalid", "value", "latest", "set", "data",
                           "train2017", "trains", "device", "train_test"})
    EXPECT_EQ(split_of(name), std::nullopt) << name;
}

TEST(NamesTest, WhatElseANameSaysIsKept) {
  EXPECT_EQ(split_name("val2017")->rest, "2017");
  EXPECT_EQ(split_name("seg_train")->rest, "seg");
  EXPECT_EQ(split_name("PublicTest")->rest, "public");
  EXPECT_FALSE(split_name("train_val"));
}

TEST(NamesTest, NamesAreComposed) {
  EXPECT_EQ(composed("plain"), "plain");
  EXPECT_EQ(composed("cafe\xCC\x81"), "caf\xC3\xA9");
  EXPECT_EQ(composed("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(composed("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"), "\xED\x95\x9C");  // Hangul
  EXPECT_EQ(composed("\xFF\xC3"), "\xFF\xC3");
  EXPECT_EQ(composed(std::string_view("a\0\xC3\xA9", 4)), std::string_view("a\0\xC3\xA9", 4));
}

TEST(NamesTest, ColumnsAreComparedInOneSpelling) {
  EXPECT_EQ(plain_name(" Image Path\t"), "image_path");
  EXPECT_EQ(plain_name("file-name"), "file_name");
  EXPECT_EQ(plain_name(""), "");
}

}  // namespace
}  // namespace byteformer::data
