// What a look at a folder finds, with few files read of many.
#include "data/survey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "data_folder.hpp"
#include "media/sound.hpp"

namespace byteformer::data {
namespace {

std::string sound(double seconds) {
  const media::FileBytes wav = media::encode_wav({8000, std::vector<float>(static_cast<std::size_t>(seconds * 8000))},
                                                 media::SampleFormat::kUint8);
  return {wav.begin(), wav.end()};
}

DataSet all_files(const DataFolder& folder) {
  DataSetOptions options;
  options.split_validation = false;
  return folder.find(options);
}

TEST(SurveyTest, SeesTheLongestOfManyThoughItLooksAtFew) {
  DataFolder folder;
  for (int i = 0; i < 100; ++i) folder.put("a/" + std::to_string(i) + ".wav", sound(0.5));
  folder.put("a/33.wav", sound(2.25));  // not one of the ten that are looked at
  folder.put_many("b/text", 3);
  const Survey survey = look_at(all_files(folder), {.most_files = 10});
  EXPECT_EQ(survey.num_looked_at, 10U);
  EXPECT_EQ(survey.durations_s.back(), 0.5);
  EXPECT_NEAR(survey.longest_s, 2.25, 1e-3);
}

TEST(SurveyTest, SeesTheLongestOfTheFilesThatWillOnlyJudge) {
  DataFolder folder;
  DataSet data;
  data.classes = {"a", "b"};
  data.train = {{folder.put("1.wav", sound(0.5)), 0, {}}, {folder.put("2.wav", sound(0.25)), 1, {}}};
  data.validation = {{folder.put("3.wav", sound(1.5)), 0, {}}};
  EXPECT_EQ(look_at(data).longest_s, 1.5);
  data.test = {{folder.put("4.wav", sound(2.5)), 0, {}}};
  const Survey survey = look_at(data);
  EXPECT_EQ(survey.longest_s, 2.5);
  EXPECT_THAT(survey.durations_s, testing::ElementsAre(0.25, 0.5));
}

TEST(SurveyTest, DamagedFilesAreLeftOutAndHugeOnesAreNotRead) {
  DataFolder folder;
  folder.put("a/broken.wav", sound(0.5).substr(0, 20));
  const std::filesystem::path huge = folder.put("b/huge");
  std::filesystem::resize_file(huge, std::uintmax_t{1} << 40);  // with holes
  const Survey survey = look_at(all_files(folder));
  EXPECT_EQ(survey.num_looked_at, 1U);
  EXPECT_EQ(survey.most_bytes, std::int64_t{1} << 40);
  EXPECT_EQ(survey.kinds.at("other"), 1U);
}

TEST(SurveyTest, WhatTrainingRefusesAsTooLargeIsNotRead) {
  DataFolder folder;
  folder.put("a/1.wav", sound(0.5));
  std::filesystem::resize_file(folder.put("b/huge.wav", sound(0.5)), std::uintmax_t{1} << 40);  // begins like a sound
  const Survey survey = look_at(all_files(folder));
  EXPECT_EQ(survey.num_looked_at, 1U);
  EXPECT_EQ(survey.failures.at("wav").count, 1U);
  EXPECT_NE(survey.disagreement().find("huge.wav: is larger than 1 GiB"), std::string::npos);
}

TEST(SurveyTest, ClipsCountByTheirOwnLengthAndNoiseOnlyWhereItIsAlone) {
  DataFolder folder;
  const auto path = folder.put("a.wav", sound(20));
  DataSet data;
  data.classes = {"background", "yes"};
  data.train = {{path, 1, 3.0, 1.5}, {path, 1, 19.5, {}}, {path, 0, {}, {}}};
  EXPECT_THAT(look_at(data).durations_s, testing::ElementsAre(0.5, 1.5));
  EXPECT_EQ(look_at(data).longest_s, 1.5);
  data.train = {{path, 0, {}, {}}};
  EXPECT_EQ(look_at(data).longest_s, 20);
}

TEST(SurveyTest, NamesTheFilesThatDisagree) {
  DataFolder folder;
  folder.put("a/1.wav", sound(0.5));
  folder.put("a/2.wav", sound(0.5));
  folder.put("b/notes.txt", "hello");
  EXPECT_EQ(look_at(all_files(folder)).disagreement(),
            "1 of 3 files are neither picture nor sound, for example " + (folder.path() / "b/notes.txt").string());
}

TEST(SurveyTest, FilesThatAreTakenAsTheyAreCannotBeDamaged) {
  DataFolder folder;
  folder.put("a/cut.wav", sound(0.5).substr(0, 100));
  folder.put("a/cut.png", "\x89PNG\r\n\x1a\n");
  folder.put("b/whole.wav", sound(0.5));
  const Survey survey = look_at(all_files(folder), {.decodes = false});
  EXPECT_EQ(survey.disagreement(), "");
  EXPECT_EQ(survey.num_looked_at, 3U);
  EXPECT_THAT(survey.kinds, testing::ElementsAre(testing::Pair("png", 1), testing::Pair("wav", 2)));
  EXPECT_TRUE(survey.durations_s.empty());
}

TEST(SurveyTest, SaysEachKindOfFailureOnceHoweverManyFilesHaveIt) {
  DataFolder folder;
  for (int i = 0; i < 50; ++i) {
    folder.put("a/cut" + std::to_string(i) + ".wav", sound(0.5).substr(0, 40 + static_cast<std::size_t>(i)));
    folder.put("b/" + std::to_string(i) + ".png", "\x89PNG\r\n\x1a\n" + std::string(static_cast<std::size_t>(i), 'x'));
  }
  const std::string text = look_at(all_files(folder)).disagreement();
  EXPECT_THAT(text, testing::HasSubstr("50 wav files could not be read, for example "));
  EXPECT_THAT(text, testing::HasSubstr("50 png files could not be read, for example "));
  EXPECT_LT(text.size(), 600U);
}

}  // namespace
}  // namespace byteformer::data
