// Heat of bytes becomes heat of pixels and samples.
#include "prepare/medium_heat.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace byteformer::prepare {
namespace {

constexpr float kUnread = std::numeric_limits<float>::quiet_NaN();

TEST(PictureHeat, AddsUpTheBytesOfAPixel) {
  const media::Image image{2, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  Preprocess preprocess;
  preprocess.image = ImagePreparation{.resize = 2, .crop = 2, .encoding = {FileFormat::kFchw}};
  const std::vector<float> heat{1, 2, 3, kUnread, 10, 20, 30, kUnread, 100, 200, kUnread, kUnread};
  const auto raw = picture_heat(media::encode_fchw(image), preprocess, heat);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->image, image);
  EXPECT_EQ(raw->heat[0], 111);
  EXPECT_EQ(raw->heat[1], 222);
  EXPECT_EQ(raw->heat[2], 33);
  EXPECT_TRUE(std::isnan(raw->heat[3]));

  const media::FileBytes tiff = media::encode_tiff(image);
  std::vector<float> tiff_heat(tiff.size(), 0.0f);
  tiff_heat[140 + 3] = 5;
  EXPECT_EQ(picture_heat(tiff, {}, tiff_heat)->heat, (std::vector<float>{0, 5, 0, 0}));
}

TEST(PictureHeat, IsNotThereWhereThereIsNoPicture) {
  const media::FileBytes file = {1, 2, 3};
  EXPECT_FALSE(picture_heat(file, {}, std::vector<float>(3)));
  EXPECT_FALSE(sound_heat(file, std::vector<float>(3)));
}

TEST(SoundHeat, AddsUpTheBytesOfASample) {
  const media::FileBytes file = media::encode_wav({8000, {0.0f, 0.5f, -0.5f}}, media::SampleFormat::kInt16);
  std::vector<float> heat(file.size(), 0.0f);
  heat[44 + 2] = 1;
  heat[44 + 3] = 2;
  const auto sound = sound_heat(file, heat);
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->heat, (std::vector<float>{0, 3, 0}));
  EXPECT_EQ(sound->sound.samples.size(), 3U);
}

}  // namespace
}  // namespace byteformer::prepare
