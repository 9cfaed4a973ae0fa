// Augmentation of pictures: each operation alone, and their random composition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "data/augmentation.hpp"
#include "support/errors.hpp"

namespace byteformer::data {
namespace {

using media::Image;
using testing::ElementsAre;

Image noise(int width, int height, std::uint64_t seed = 1) {
  Image image{width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height)};
  base::Random random(seed);
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

/// A row of grey pixels.
Image row(const std::vector<std::uint8_t>& greys) {
  Image image{static_cast<int>(greys.size()), 1, {}};
  for (const std::uint8_t grey : greys) image.rgb.insert(image.rgb.end(), 3, grey);
  return image;
}

std::vector<int> reds(const Image& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
  return values;
}

template <typename Operation>
std::vector<int> after(const std::vector<std::uint8_t>& greys, Operation operation) {
  Image image = row(greys);
  operation(image);
  return reds(image);
}

ImageAugmentation published() {
  ImageAugmentation options;
  options.min_crop_area = 0.08;
  options.flip = true;
  options.rand_augment_operations = 2;
  options.erasing_probability = 0.25;
  return options;
}

TEST(ImageOperationsTest, MapsComeFromTheNearestPixelAndBlack) {
  EXPECT_THAT(after({1, 2, 3, 4}, [](Image& i) { transform(i, {.c = -1}); }), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(after({1, 2, 3, 4}, [](Image& i) { transform(i, {.c = 2}); }), ElementsAre(3, 4, 0, 0));
  Image square{2, 2, {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}};
  Image turned = square;
  rotate(turned, 90);  // counter-clockwise: the right column becomes the top row
  EXPECT_THAT(reds(turned), ElementsAre(2, 4, 1, 3));
  rotate(turned, -90);
  EXPECT_EQ(turned, square);
  Image sheared = noise(5, 5);
  const Image original = sheared;
  transform(sheared, {.b = 1});
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 5; ++x) {
      const int from = x + y + 1;  // (x + 0.5) + (y + 0.5)
      EXPECT_EQ(sheared.rgb[3 * (5 * y + x)], from < 5 ? original.rgb[3 * (5 * y + from)] : 0);
    }
}

TEST(ImageOperationsTest, AdjustmentsFollowPillow) {
  EXPECT_THAT(after({100, 201}, [](Image& i) { adjust_brightness(i, 0.5); }), ElementsAre(50, 100));
  EXPECT_THAT(after({100, 200}, [](Image& i) { adjust_brightness(i, 1.5); }), ElementsAre(150, 255));
  EXPECT_THAT(after({100, 200}, [](Image& i) { adjust_contrast(i, 0); }), ElementsAre(150, 150));
  EXPECT_THAT(after({100, 200}, [](Image& i) { adjust_contrast(i, 2); }), ElementsAre(50, 250));
  Image red{1, 1, {255, 0, 0}};
  adjust_color(red, 0);
  EXPECT_THAT(red.rgb, ElementsAre(76, 76, 76));  // 0.299 * 255
  Image dot{3, 3, std::vector<std::uint8_t>(27, 13)};
  for (int c = 0; c < 3; ++c) dot.rgb[12 + c] = 39;
  adjust_sharpness(dot, 0);
  EXPECT_EQ(dot.rgb[12], 23);  // (8 * 13 + 5 * 39) / 13
  EXPECT_EQ(dot.rgb[0], 13);
}

TEST(ImageOperationsTest, TablesFollowPillow) {
  EXPECT_THAT(after({255, 129, 15}, [](Image& i) { posterize(i, 4); }), ElementsAre(240, 128, 0));
  EXPECT_THAT(after({255, 129, 15}, [](Image& i) { posterize(i, 8); }), ElementsAre(255, 129, 15));
  EXPECT_THAT(after({0, 127, 128, 255}, [](Image& i) { solarize(i, 128); }), ElementsAre(0, 127, 127, 0));
  EXPECT_THAT(after({100, 151, 151, 227}, auto_contrast), ElementsAre(0, 102, 102, 255));
  EXPECT_THAT(after({0, 3, 51}, auto_contrast), ElementsAre(0, 15, 255));
  EXPECT_THAT(after({7, 7}, auto_contrast), ElementsAre(7, 7));
  std::vector<std::uint8_t> three_levels;
  for (const std::uint8_t level : {std::uint8_t{10}, std::uint8_t{11}, std::uint8_t{20}})
    three_levels.insert(three_levels.end(), 255, level);
  const auto levelled = after(three_levels, equalize);
  EXPECT_THAT(std::set(levelled.begin(), levelled.end()), ElementsAre(0, 128, 255));
  EXPECT_THAT(after({1, 2, 3}, equalize), ElementsAre(1, 2, 3));  // too few pixels for a step
}

TEST(ImageOperationsTest, OperationsOfStrengthZeroChangeNothing) {
  const Image original = noise(16, 16);
  Image image = original;
  adjust_brightness(image, 1);
  adjust_color(image, 1);
  adjust_contrast(image, 1);
  adjust_sharpness(image, 1);
  transform(image, {});
  rotate(image, 0);
  EXPECT_EQ(image, original);
}

TEST(RandAugmentTest, ReachesManyResultsAndKeepsTheSize) {
  const Image original = noise(32, 24);
  std::set<std::vector<std::uint8_t>> results;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Image image = original;
    base::Random random(seed);
    rand_augment(image, 1, 9, random);
    ASSERT_EQ(image.width, 32);
    ASSERT_EQ(image.rgb.size(), original.rgb.size());
    results.insert(image.rgb);
  }
  // Identity, nine signed operations both ways, posterize, solarize, two histograms (noise is full already: near
  // alike).
  EXPECT_GE(results.size(), 21U);
  EXPECT_LE(results.size(), 23U);
  EXPECT_TRUE(results.contains(original.rgb));
}

TEST(ImageAugmentationTest, IsTheSameForTheSameSeedAndHasTheSize) {
  const Image original = noise(50, 70);
  std::set<std::vector<std::uint8_t>> results;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    base::Random first(seed);
    base::Random second(seed);
    const Image image = augmented(original, 32, published(), first);
    EXPECT_EQ(image, augmented(original, 32, published(), second));
    EXPECT_EQ(image.width, 32);
    EXPECT_EQ(image.height, 32);
    EXPECT_EQ(image.rgb.size(), 3072U);
    results.insert(image.rgb);
  }
  EXPECT_EQ(results.size(), 50U);
}

TEST(ImageAugmentationTest, CropsEvenExtremePictures) {
  ImageAugmentation options;
  options.min_crop_area = 0.9;
  for (const auto& [width, height] : {std::pair(200, 3), std::pair(3, 200), std::pair(1, 1), std::pair(2, 1)}) {
    base::Random random(1);
    EXPECT_EQ(augmented(noise(width, height), 8, options, random).rgb.size(), 192U);
  }
}

TEST(ImageAugmentationTest, OffMeansUnchangedAndTheSizeMustBeRight) {
  base::Random random(1);
  EXPECT_EQ(augmented(noise(8, 8), 8, {}, random), noise(8, 8));
  test::expect_error(ErrorCode::kInvalidArgument, {"9x8", "expected 8x8"},
                     [&] { augmented(noise(9, 8), 8, {}, random); });
}

TEST(ImageAugmentationTest, FlipsHalfOfThePictures) {
  ImageAugmentation options;
  options.flip = true;
  int num_flipped = 0;
  base::Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const Image result = augmented(noise(3, 3), 3, options, random);
    if (result == noise(3, 3)) continue;
    ++num_flipped;
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t x = 0; x < 3; ++x)
        for (std::size_t c = 0; c < 3; ++c)
          ASSERT_EQ(result.rgb[9 * y + 3 * x + c], noise(3, 3).rgb[9 * y + 3 * (2 - x) + c]);
  }
  EXPECT_NEAR(num_flipped, 500, 80);
}

TEST(ImageAugmentationTest, ShiftsBothWaysWithBlackComingIn) {
  ImageAugmentation options;
  options.max_shift = 2;
  const Image white{6, 6, std::vector<std::uint8_t>(108, 255)};
  std::set<std::pair<bool, bool>> corners;
  std::set<long> sums;
  base::Random random(1);
  for (int i = 0; i < 300; ++i) {
    const Image image = augmented(white, 6, options, random);
    sums.insert(std::count(image.rgb.begin(), image.rgb.end(), 255) / 3);
    corners.insert({image.rgb.front() == 255, image.rgb.back() == 255});
  }
  EXPECT_THAT(sums, ElementsAre(16, 20, 24, 25, 30, 36));  // (6 - |dx|) (6 - |dy|)
  EXPECT_EQ(corners.size(), 4U);
}

TEST(ImageAugmentationTest, ErasesAFiftiethToAThirdOfAQuarterOfThePictures) {
  ImageAugmentation options;
  options.erasing_probability = 0.25;
  const Image white{64, 64, std::vector<std::uint8_t>(64 * 64 * 3, 255)};
  int num_erased = 0;
  base::Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const Image image = augmented(white, 64, options, random);
    const auto share = static_cast<double>(std::count(image.rgb.begin(), image.rgb.end(), 0)) / (64 * 64 * 3);
    if (share == 0) continue;
    ++num_erased;
    EXPECT_GT(share, 0.015);
    EXPECT_LT(share, 0.35);
  }
  EXPECT_NEAR(num_erased, 250, 70);
}

TEST(ImageAugmentationTest, APastedBoxIsOfTheOtherPictureAndLeavesTheShareThatIsSaid) {
  const Image first = noise(40, 30, 1), second = noise(40, 30, 2);
  base::Random random(1);
  double sum = 0;
  for (int i = 0; i < 300; ++i) {
    Image mixed = first;
    const double share = paste_box(mixed, second, random);
    int left = 40, right = -1, top = 30, bottom = -1, num_pasted = 0;
    for (int at = 0; at < 40 * 30; ++at) {
      const auto pixel = [&](const Image& image) { return std::vector(&image.rgb[3 * at], &image.rgb[3 * at] + 3); };
      if (pixel(mixed) == pixel(first)) continue;
      ASSERT_EQ(pixel(mixed), pixel(second));
      ++num_pasted;
      left = std::min(left, at % 40), right = std::max(right, at % 40);
      top = std::min(top, at / 40), bottom = std::max(bottom, at / 40);
    }
    EXPECT_NEAR(share, 1 - num_pasted / 1200.0, 1e-9);
    if (num_pasted > 0) {
      EXPECT_EQ(num_pasted, (right - left + 1) * (bottom - top + 1)) << "a box";
    }
    sum += share;
  }
  EXPECT_GT(sum / 300, 0.5) << "what lies outside is cut off";
  EXPECT_LT(sum / 300, 0.8);
}

}  // namespace
}  // namespace byteformer::data
