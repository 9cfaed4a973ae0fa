// Augmentation of sounds: each change alone, and their random composition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "data/augmentation.hpp"
#include "support/errors.hpp"

namespace byteformer::data {
namespace {

using media::Sound;
using testing::ElementsAre;

Sound ramp(std::size_t num_samples) {
  Sound sound{8000, std::vector<float>(num_samples)};
  for (std::size_t i = 0; i < num_samples; ++i) sound.samples[i] = static_cast<float>(i + 1);
  return sound;
}

Sound constant(std::size_t num_samples, float value) { return {8000, std::vector<float>(num_samples, value)}; }

TEST(SoundAugmentationTest, OffMeansOnlyCutOrExtended) {
  base::Random random(1);
  EXPECT_THAT(augmented(ramp(3), 5, {}, {}, random).samples, ElementsAre(1, 2, 3, 0, 0));
  EXPECT_THAT(augmented(ramp(3), 2, {}, {}, random).samples, ElementsAre(1, 2));
  EXPECT_EQ(augmented(ramp(3), 2, {}, {}, random).sample_rate, 8000);
}

TEST(SoundAugmentationTest, RollsByEveryOffsetFromMinusToBelowPlusATenth) {
  SoundAugmentation options;
  options.roll_fraction = 0.1;
  std::set<float> firsts;
  base::Random random(1);
  for (int i = 0; i < 500; ++i) {
    Sound sound = augmented(ramp(30), 30, options, {}, random);
    firsts.insert(sound.samples[0]);
    std::ranges::sort(sound.samples);
    EXPECT_EQ(sound, ramp(30));
  }
  EXPECT_THAT(firsts, ElementsAre(1, 2, 3, 4, 29, 30));  // by 0, -1, -2, -3, 2, 1: the upper end is excluded
}

TEST(SoundAugmentationTest, ShiftBringsZerosIn) {
  SoundAugmentation options;
  options.shift_fraction = 0.5;
  base::Random random(1);
  std::set<std::vector<float>> results;
  for (int i = 0; i < 200; ++i) results.insert(augmented(ramp(4), 4, options, {}, random).samples);
  EXPECT_THAT(results, ElementsAre(ElementsAre(0, 1, 2, 3), ElementsAre(1, 2, 3, 4), ElementsAre(2, 3, 4, 0),
                                   ElementsAre(3, 4, 0, 0)));
}

TEST(SoundAugmentationTest, OfAFreeLengthEachEndLosesALittleOrGainsSilence) {
  SoundAugmentation options;
  options.shift_fraction = 0.2;
  base::Random random(1);
  std::set<std::size_t> cuts, silences;
  for (int i = 0; i < 500; ++i) {
    const std::vector<float> samples = augmented(ramp(100), std::nullopt, options, {}, random).samples;
    const auto first = std::ranges::find_if(samples, [](float x) { return x != 0; });
    silences.insert(static_cast<std::size_t>(first - samples.begin()));
    cuts.insert(static_cast<std::size_t>(*first) - 1);
    for (auto it = first; it + 1 != samples.end() && it[1] != 0; ++it) EXPECT_EQ(it[1], *it + 1);
  }
  EXPECT_EQ(*cuts.rbegin(), 9U);
  EXPECT_EQ(*silences.rbegin(), 19U);
  EXPECT_EQ(augmented(ramp(100), std::nullopt, {}, {}, random), ramp(100));
}

TEST(SoundAugmentationTest, MaskingSilencesOneSpanHalfOfTheTime) {
  SoundAugmentation options;
  options.mask_fraction = 0.25;
  base::Random random(1);
  int num_masked = 0;
  for (int i = 0; i < 400; ++i) {
    const std::vector<float> samples = augmented(constant(100, 1), 100, options, {}, random).samples;
    const auto num_silent = std::ranges::count(samples, 0.0F);
    const auto begin = std::ranges::find(samples, 0.0F);
    EXPECT_TRUE(std::all_of(begin, begin + num_silent, [](float x) { return x == 0; }));
    EXPECT_LE(num_silent, 25);
    num_masked += num_silent > 0;
  }
  EXPECT_NEAR(num_masked, 200, 50);
}

TEST(SoundAugmentationTest, SpeedChangesTheLengthOfWhatSounds) {
  SoundAugmentation options;
  options.speed_fraction = 0.1;
  base::Random random(1);
  std::size_t shortest = 10'000;
  std::size_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    const Sound sound = augmented(constant(1000, 0.5F), 2000, options, {}, random);
    const auto length = static_cast<std::size_t>(std::ranges::count(sound.samples, 0.5F));
    shortest = std::min(shortest, length);
    longest = std::max(longest, length);
  }
  EXPECT_NEAR(static_cast<double>(shortest), 1000 / 1.1, 10);
  EXPECT_NEAR(static_cast<double>(longest), 1000 / 0.9, 10);
  const Sound line = augmented(ramp(1000), 900, options, {}, random);
  const float step = line.samples[1] - line.samples[0];
  for (std::size_t i = 1; i < 800; ++i) EXPECT_NEAR(line.samples[i] - line.samples[i - 1], step, 1e-3);
}

TEST(SoundAugmentationTest, GainStaysWithinItsDecibels) {
  SoundAugmentation options;
  options.gain_db = 6;
  base::Random random(1);
  double lowest = 10;
  double highest = 0;
  for (int i = 0; i < 500; ++i) {
    const double value = augmented(constant(1, 1), 1, options, {}, random).samples[0];
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  EXPECT_NEAR(lowest, 0.501, 0.02);
  EXPECT_NEAR(highest, 1.995, 0.04);
}

TEST(SoundAugmentationTest, BackgroundIsASliceAtItsLevelOrRepeated) {
  SoundAugmentation options;
  options.noise_db = -20;
  base::Random random(1);
  const Sound result = augmented(constant(3, 0), 3, options, {ramp(100)}, random);
  EXPECT_NEAR(result.samples[1] - result.samples[0], 0.1, 1e-5);
  EXPECT_NEAR(result.samples[2] - result.samples[1], 0.1, 1e-5);
  const Sound repeated = augmented(constant(5, 1), 5, options, {ramp(2)}, random);
  const std::vector<float> expected = {1.1F, 1.2F, 1.1F, 1.2F, 1.1F};
  EXPECT_THAT(repeated.samples, testing::Pointwise(testing::FloatNear(1e-6F), expected));
  EXPECT_EQ(augmented(constant(2, 1), 2, options, {Sound{8000, {}}}, random), constant(2, 1));
  test::expect_error(ErrorCode::kInvalidArgument, {"background noise", "recordings"},
                     [&] { augmented(ramp(3), 3, options, {}, random); });
}

TEST(SoundAugmentationTest, WhiteNoiseHasADeviationUpToItsBound) {
  SoundAugmentation options;
  options.white_noise = 0.02;
  base::Random random(1);
  double mean_deviation = 0;
  for (int i = 0; i < 200; ++i) {
    double sum_of_squares = 0;
    for (const float sample : augmented(constant(500, 0), 500, options, {}, random).samples)
      sum_of_squares += sample * sample;
    const double deviation = std::sqrt(sum_of_squares / 500);
    EXPECT_LT(deviation, 0.023);
    mean_deviation += deviation / 200;
  }
  EXPECT_NEAR(mean_deviation, 0.01, 0.002);
}

TEST(SoundAugmentationTest, IsTheSameForTheSameSeedAndSurvivesSilence) {
  SoundAugmentation options;
  options.speed_fraction = 0.08;
  options.gain_db = 3;
  options.white_noise = 0.01;
  options.shift_fraction = 0.1;
  base::Random first(4);
  base::Random second(4);
  const Sound result = augmented(ramp(300), 400, options, {}, first);
  EXPECT_EQ(result, augmented(ramp(300), 400, options, {}, second));
  EXPECT_EQ(result.samples.size(), 400U);
  EXPECT_EQ(augmented(Sound{8000, {}}, 0, options, {}, first).samples.size(), 0U);
  EXPECT_EQ(augmented(Sound{8000, {}}, 10, options, {}, first).samples.size(), 10U);
}

}  // namespace
}  // namespace byteformer::data
