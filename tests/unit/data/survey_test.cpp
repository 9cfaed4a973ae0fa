// What a look at a folder finds, with few files read of many.
#include "data/survey.hpp"

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

std::vector<Sample> all_files(const DataFolder& folder) {
  DataSetOptions options;
  options.split_validation = false;
  return folder.find(options).train;
}

TEST(SurveyTest, SeesTheLongestOfManyThoughItLooksAtFew) {
  DataFolder folder;
  for (int i = 0; i < 100; ++i) folder.put("a/" + std::to_string(i) + ".wav", sound(0.5));
  folder.put("a/33.wav", sound(2.25));  // not one of the ten that are looked at
  folder.put_many("b/text", 3);
  const Survey survey = look_at(all_files(folder), 10);
  EXPECT_EQ(survey.num_looked_at, 10U);
  EXPECT_EQ(survey.durations_s.back(), 0.5);
  EXPECT_NEAR(survey.longest_s, 2.25, 1e-3);
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

}  // namespace
}  // namespace byteformer::data
