// The layout of the Speech Commands archive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "data_folder.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::data {
namespace {

using test::expect_error;
using test::little_endian;
using testing::ElementsAre;
using testing::HasSubstr;

/// The header of a 16-bit mono WAV file at 16 kHz, whose samples are left out.
std::string wav_header(double duration_s) {
  const auto num_bytes = static_cast<std::uint64_t>(duration_s * 32'000);
  return "RIFF" + little_endian(36 + num_bytes, 4) + "WAVEfmt " + little_endian(16, 4) + little_endian(1, 2) +
         little_endian(1, 2) + little_endian(16'000, 4) + little_endian(32'000, 4) + little_endian(2, 2) +
         little_endian(16, 2) + "data" + little_endian(num_bytes, 4);
}

/// Ten words with 10 files each and three others with 20, a tenth each for validation and test.
class SpeechCommandsTest : public testing::Test {
 protected:
  SpeechCommandsTest() {
    for (const std::string word : {"yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"})
      add(word, 10);
    add("bed", 20);
    add("cat", 20);
    add("dog", 20);
    folder_.put("validation_list.txt", validation_list_);
    folder_.put("testing_list.txt", test_list_);
    folder_.put("README.md");
    folder_.put("_background_noise_/README.md");
    folder_.put("_background_noise_/hum.wav", wav_header(60));
    folder_.put("_background_noise_/rain.wav", wav_header(90));
  }

  void add(const std::string& word, int count) {
    for (int i = 0; i < count; ++i) {
      char hash[9];
      std::snprintf(hash, sizeof hash, "%08x", 12345 * (i % 5 + 1));
      const std::string name = word + "/" + hash + "_nohash_" + std::to_string(i / 5) + ".wav";
      folder_.put(name);
      if (i == 0) validation_list_ += name + "\n";
      if (i == 1 || i == 6) test_list_ += name + "\r\n";
    }
  }

  static std::map<std::string, int> counts(const DataSet& data_set, const std::vector<Sample>& samples) {
    std::map<std::string, int> count;
    for (const Sample& sample : samples) ++count[data_set.classes.at(static_cast<std::size_t>(sample.label))];
    return count;
  }

  DataFolder folder_;
  std::string validation_list_, test_list_;
};

TEST_F(SpeechCommandsTest, HasTwelveClassesOfEqualSizes) {
  const DataSet found = folder_.find();
  EXPECT_EQ(found.layout, Layout::kSpeechCommandsArchive);
  EXPECT_TRUE(found.has_own_validation);
  EXPECT_THAT(found.classes, ElementsAre("background", "down", "go", "left", "no", "off", "on", "right", "stop",
                                         "unknown", "up", "yes"));
  EXPECT_THAT(counts(found, found.train), testing::Each(testing::Pair(testing::_, 7)));
  EXPECT_THAT(counts(found, found.validation), testing::Each(testing::Pair(testing::_, 1)));
  EXPECT_THAT(counts(found, found.test), testing::Each(testing::Pair(testing::_, 2)));
  EXPECT_EQ(found.train.size(), 84U);
  EXPECT_EQ(found.background.size(), 2U);
}

TEST_F(SpeechCommandsTest, BackgroundClipsOfSplitsDoNotOverlap) {
  const DataSet found = folder_.find();
  const auto check = [&](const std::vector<Sample>& samples, double begin, double end) {
    for (const Sample& sample : samples) {
      EXPECT_EQ(sample.start_s.has_value(), found.classes[static_cast<std::size_t>(sample.label)] == "background");
      if (!sample.start_s) continue;
      const double duration_s = sample.path.filename() == "hum.wav" ? 60 : 90;
      EXPECT_GE(*sample.start_s, begin * duration_s);
      EXPECT_LE(*sample.start_s + 1, end * duration_s);
    }
  };
  check(found.train, 0, 0.8);
  check(found.validation, 0.8, 0.9);
  check(found.test, 0.9, 1);
}

TEST_F(SpeechCommandsTest, UnknownComesFromAllOtherWordsAndIsTheSameEveryTime) {
  const DataSet found = folder_.find();
  std::set<std::string> words;
  for (const Sample& sample : found.train)
    if (sample.label == 9) words.insert(sample.path.parent_path().filename().string());
  EXPECT_GE(words.size(), 2U);
  EXPECT_EQ(found.train, folder_.find().train);
}

TEST_F(SpeechCommandsTest, DoesWithoutNoise) {
  std::filesystem::remove_all(folder_.path() / "_background_noise_");
  const DataSet found = folder_.find();
  EXPECT_EQ(found.classes.size(), 11U);
  EXPECT_THAT(all_remarks(found), HasSubstr("no class \"background\""));
}

TEST_F(SpeechCommandsTest, PassesOverRecordingsThatAreNoWav) {
  folder_.put("_background_noise_/hum.wav", "RIFF????WAVEfmt ");
  const DataSet found = folder_.find();
  EXPECT_EQ(found.background.size(), 1U);
  EXPECT_THAT(all_remarks(found), HasSubstr("noise recordings whose header says nothing (1)"));
}

TEST_F(SpeechCommandsTest, SplitsBySpeakerWhereThereIsNoValidationList) {
  std::filesystem::remove(folder_.path() / "validation_list.txt");
  for (const char* name : {"a", "b", "c", "d"})
    folder_.put(std::string("_background_noise_/") + name + ".wav", wav_header(60));
  DataSetOptions options;
  options.validation_fraction = 0.3;
  const DataSet found = folder_.find(options);
  EXPECT_FALSE(found.has_own_validation);
  EXPECT_EQ(found.split_by, "speaker");
}

TEST_F(SpeechCommandsTest, ListsMustNameFilesThatExistOnce) {
  folder_.put("testing_list.txt", "yes/gone.wav\n");
  expect_error(ErrorCode::kInvalidFormat, {"testing_list.txt: none of its 1 files is here", "yes/gone.wav"},
               [&] { folder_.find(); });
  folder_.put("testing_list.txt", validation_list_);
  expect_error(ErrorCode::kInvalidFormat, {"testing_list.txt", "13 files", "twice", "..."}, [&] { folder_.find(); });
}

TEST_F(SpeechCommandsTest, ListsMayCoverMoreThanTheData) {
  folder_.put("testing_list.txt", "yes/gone.wav\nnever/00003039_nohash_0.wav\n" + test_list_);
  const DataSet found = folder_.find();
  EXPECT_EQ(found.test.size(), 24U);
  EXPECT_THAT(all_remarks(found), HasSubstr("testing_list.txt names 2 files that are not here or empty, for example "
                                            "yes/gone.wav; 26 are used"));
}

TEST_F(SpeechCommandsTest, TheTaskOf35WordsHasAllWordsAndNothingElse) {
  DataSetOptions options;
  options.task = parse_task("speech-commands-35");
  const DataSet found = folder_.find(options);
  EXPECT_THAT(found.classes,
              ElementsAre("bed", "cat", "dog", "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"));
  EXPECT_EQ(found.train.size() + found.validation.size() + found.test.size(), 160U);
  EXPECT_EQ(found.background.size(), 2U);  // for augmentation
  DataSetOptions of_model;
  of_model.classes = found.classes;  // says which task it is
  EXPECT_EQ(folder_.find(of_model).test.size(), found.test.size());
  expect_error(ErrorCode::kInvalidArgument, {"speech-commands-12 or speech-commands-35"}, [] { parse_task("12"); });
  DataFolder other;
  other.put("a/1");
  other.put("b/1");
  expect_error(ErrorCode::kInvalidArgument, {"is not Speech Commands"}, [&] { other.find(options); });
}

TEST_F(SpeechCommandsTest, UnknownAndBackgroundAreATenthOfTheWordsRoundedUp) {
  for (int i = 0; i < 4; ++i) folder_.put("yes/0000beef_nohash_" + std::to_string(i) + ".wav");
  const DataSet found = folder_.find();  // 74 files of the words to train on
  EXPECT_EQ(counts(found, found.train)["unknown"], 8);
  EXPECT_EQ(counts(found, found.train)["background"], 8);
}

TEST_F(SpeechCommandsTest, TheArchiveOfTheTestSetIsTheTestSet) {
  const std::filesystem::path words = folder_.path();
  DataFolder both;
  std::filesystem::rename(words, both.path() / "speech_commands_v0.02");
  for (const char* name : {"yes/1.wav.wav", "no/2.wav", "_unknown_/3.wav", "_unknown_/4.wav", "_silence_/5.wav"})
    both.put("speech_commands_test_set_v0.02/" + std::string(name));
  const DataSet found = both.find();
  EXPECT_EQ(found.layout, Layout::kSpeechCommandsArchive);
  EXPECT_EQ(found.train.size(), 84U);
  EXPECT_THAT(both.names(found, found.test), ElementsAre("background:speech_commands_test_set_v0.02/_silence_/5.wav",
                                                         "unknown:speech_commands_test_set_v0.02/_unknown_/3.wav",
                                                         "unknown:speech_commands_test_set_v0.02/_unknown_/4.wav",
                                                         "no:speech_commands_test_set_v0.02/no/2.wav",
                                                         "yes:speech_commands_test_set_v0.02/yes/1.wav.wav"));
  EXPECT_THAT(all_remarks(found), HasSubstr("test: all of speech_commands_test_set_v0.02/"));
  std::filesystem::rename(both.path() / "speech_commands_test_set_v0.02",
                          both.path() / "speech_commands_v0.02/speech_commands_test_set_v0.02");
  const DataSet inside = find_data_set(both.path() / "speech_commands_v0.02");
  EXPECT_EQ(inside.test.size(), 5U);
  EXPECT_EQ(inside.train.size(), 84U);
  DataSetOptions all_words;
  all_words.task = SpeechCommandsTask::k35;
  EXPECT_EQ(both.find(all_words).test.size(), 26U);
  std::filesystem::rename(both.path() / "speech_commands_v0.02", words);
}

TEST_F(SpeechCommandsTest, BackgroundClipsLastASecond) {
  const DataSet found = folder_.find();
  for (const Sample& sample : found.train)
    EXPECT_EQ(sample.duration_s, sample.start_s ? std::optional(1.0) : std::nullopt);
}

}  // namespace
}  // namespace byteformer::data
