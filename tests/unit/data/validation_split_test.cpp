// The validation split: stratified, deterministic, by speaker where names tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/random.hpp"
#include "data/layouts.hpp"

namespace byteformer::data {
namespace {

struct Split {
  std::vector<FoundFile> train, validation;
  std::string by;
};

Split split(const std::vector<FoundFile>& files, double fraction, std::uint64_t seed) {
  Split result{files, {}, {}};
  result.by = split_off_validation(result.train, result.validation, fraction, seed);
  return result;
}

std::set<std::string> names(const std::vector<FoundFile>& files) {
  std::set<std::string> set;
  for (const FoundFile& file : files) set.insert(file.name);
  return set;
}

std::map<std::string, int> counts(const std::vector<FoundFile>& files) {
  std::map<std::string, int> count;
  for (const FoundFile& file : files) ++count[file.class_name];
  return count;
}

FoundFile file(const std::string& class_name, const std::string& name) {
  return {"/d/" + class_name + "/" + name, class_name + "/" + name, class_name, std::nullopt};
}

/// Every class said by every speaker.
std::vector<FoundFile> spoken(int classes, int speakers, int repetitions) {
  std::vector<FoundFile> files;
  for (int c = 0; c < classes; ++c)
    for (int s = 0; s < speakers; ++s)
      for (int r = 0; r < repetitions; ++r) {
        const std::string name = std::to_string(c);
        files.push_back(file(name, name + "_speaker" + std::to_string(s) + "_" + std::to_string(r) + ".wav"));
      }
  return files;
}

std::set<std::string> speakers(const std::vector<FoundFile>& files) {
  std::set<std::string> set;
  for (const FoundFile& f : files) set.insert(speaker_of(f.name, f.class_name).value_or("?"));
  return set;
}

TEST(SpeakerTest, IsReadFromBothKindsOfNames) {
  EXPECT_EQ(speaker_of("yes/0a7c2a8d_nohash_0.wav", "yes"), "0a7c2a8d");
  EXPECT_EQ(speaker_of("_unknown_/backward_0cb74144_nohash_2.wav.wav", "unknown"), "0cb74144");
  EXPECT_EQ(speaker_of("train/7/7_jackson_32.wav", "7"), "jackson");
  EXPECT_EQ(speaker_of("7/7_van_rossum_32.wav", "7"), "van_rossum");
  EXPECT_EQ(speaker_of("7/8_jackson_32.wav", "7"), std::nullopt);  // the first part is not the class
  EXPECT_EQ(speaker_of("tench/n01440764_10150.JPEG", "tench"), std::nullopt);
  EXPECT_EQ(speaker_of("church/ILSVRC2012_val_00000557.JPEG", "church"), std::nullopt);
  EXPECT_EQ(speaker_of("yes/zzzzzzzz_nohash_0.wav", "yes"), std::nullopt);
  EXPECT_EQ(speaker_of("yes/10a7c2a8d_nohash_0.wav", "yes"), std::nullopt);
  EXPECT_EQ(speaker_of("7/7__1.wav", "7"), std::nullopt);
  EXPECT_EQ(speaker_of("7/7_1.wav", "7"), std::nullopt);
  EXPECT_EQ(speaker_of("", ""), std::nullopt);
}

TEST(ValidationSplitTest, HashesAreTheSameEverywhere) {
  EXPECT_EQ(hash_of("", 0), 0x0AE318D90CCEED20U);
  EXPECT_EQ(hash_of("0/0_theo_1.wav", 3), 0x3A62AD1C368D18BAU);
}

TEST(ValidationSplitTest, WholeSpeakersMoveWhereThatComesNearTheFraction) {
  const Split six = split(spoken(10, 6, 45), 0.1, 0);
  EXPECT_EQ(six.by, "speaker");
  EXPECT_EQ(speakers(six.validation).size(), 1U);
  const Split many = split(spoken(3, 100, 2), 0.1, 0);
  EXPECT_EQ(many.by, "speaker");
  EXPECT_EQ(speakers(many.validation).size(), 10U);
  const Split three = split(spoken(3, 3, 20), 0.1, 0);  // a third of the files would be too many
  EXPECT_EQ(three.by, "file");
  EXPECT_THAT(counts(three.validation), testing::Each(testing::Pair(testing::_, 6)));
}

TEST(ValidationSplitTest, ClassesWithSpeakersOfTheirOwnStayOnBothSides) {
  std::vector<FoundFile> files;
  for (int c = 0; c < 4; ++c)
    for (int s = 0; s < 10; ++s) {
      const std::string name = "c" + std::to_string(c);
      files.push_back(file(name, name + "_s" + std::to_string(10 * c + s) + "_0.wav"));
    }
  const Split result = split(files, 0.2, 1);
  EXPECT_EQ(result.by, "speaker");
  EXPECT_THAT(counts(result.validation), testing::Each(testing::Pair(testing::_, 2)));
}

TEST(ValidationSplitTest, OneFileStaysInTraining) {
  const Split result = split({file("a", "1"), file("b", "1"), file("b", "2")}, 0.9, 0);
  EXPECT_EQ(names(result.train).count("a/1"), 1U);
  EXPECT_EQ(counts(result.train)["b"], 1);
  EXPECT_EQ(counts(result.validation)["b"], 1);
}

std::vector<FoundFile> random_files() {
  std::vector<FoundFile> files;
  const int num_classes = *rc::gen::inRange(1, 5);
  const bool has_speakers = *rc::gen::arbitrary<bool>();
  const int num_speakers = *rc::gen::inRange(1, 15);
  for (int c = 0; c < num_classes; ++c) {
    const std::string name = "class" + std::to_string(c);
    const int count = *rc::gen::inRange(1, 60);
    for (int i = 0; i < count; ++i)
      files.push_back(file(name, has_speakers ? name + "_s" + std::to_string(*rc::gen::inRange(0, num_speakers)) + "_" +
                                                    std::to_string(i)
                                              : std::to_string(i)));
  }
  return files;
}

RC_GTEST_PROP(ValidationSplitProperty, IsAPartitionThatKeepsEveryClassOnBothSides, ()) {
  const auto files = random_files();
  const double fraction = *rc::gen::inRange(1, 90) / 100.0;
  const Split result = split(files, fraction, *rc::gen::arbitrary<std::uint64_t>());
  std::set<std::string> all = names(result.train);
  for (const std::string& name : names(result.validation)) RC_ASSERT(all.insert(name).second);
  RC_ASSERT(all == names(files));
  auto validation = counts(result.validation);
  for (const auto& [name, count] : counts(files)) {
    RC_ASSERT(count == 1 || validation[name] >= 1);
    RC_ASSERT(validation[name] < count);
    if (result.by == "file") RC_ASSERT(std::abs(validation[name] - fraction * count) <= 1);
  }
  if (result.by == "speaker")
    for (const std::string& speaker : speakers(result.validation)) RC_ASSERT(!speakers(result.train).contains(speaker));
}

RC_GTEST_PROP(ValidationSplitProperty, DependsOnNamesAndSeedOnly, (std::uint64_t seed, std::uint64_t order)) {
  auto files = random_files();
  const Split first = split(files, 0.2, seed);
  base::Random(order).shuffle(std::span(files));
  const Split second = split(files, 0.2, seed);
  RC_ASSERT(names(first.validation) == names(second.validation));
  RC_ASSERT(first.by == second.by);
}

TEST(ValidationSplitTest, AnotherSeedGivesAnotherSplit) {
  std::vector<FoundFile> files;
  for (int i = 0; i < 200; ++i) files.push_back(file("a", std::to_string(i)));
  EXPECT_NE(names(split(files, 0.1, 0).validation), names(split(files, 0.1, 1).validation));
}

}  // namespace
}  // namespace byteformer::data
