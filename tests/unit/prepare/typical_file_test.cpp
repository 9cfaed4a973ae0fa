// The length of prepared files, against files that were prepared.
#include <gtest/gtest.h>

#include "prepare/preprocess.hpp"

namespace byteformer::prepare {
namespace {

TEST(TypicalFile, IsAsLongAsAPreparedPicture) {
  const media::Image image{40, 30, std::vector<std::uint8_t>(3 * 40 * 30, 77)};
  for (const auto format : {FileFormat::kTiff, FileFormat::kPng, FileFormat::kFhwc, FileFormat::kFchw}) {
    const Preprocess preprocess{ImagePreparation{20, 16, {.format = format}}, {}};
    EXPECT_EQ(typical_prepared_bytes(preprocess), prepared(image, *preprocess.image, "t").size()) << to_string(format);
  }
}

TEST(TypicalFile, IsAsLongAsAPreparedSoundOrASecond) {
  const media::Sound sound{16'000, std::vector<float>(16'000, 0.5F)};
  for (const auto format : {FileFormat::kWav, FileFormat::kMp3}) {
    SoundPreparation form{8'000, 0.5, {.format = format}};
    EXPECT_EQ(typical_prepared_bytes({{}, form}), prepared(sound, form).size());
    form.duration_s.reset();
    EXPECT_EQ(typical_prepared_bytes({{}, form}), prepared(sound, form).size());
  }
}

TEST(TypicalFile, IsWhatAMaskLeaves) {
  Preprocess preprocess{ImagePreparation{10, 10, {.format = FileFormat::kFhwc}}, {}};
  preprocess.transforms.mask = bytes::PositionMask{0.25};
  EXPECT_EQ(typical_prepared_bytes(preprocess), 75U);
  preprocess.transforms.mask = bytes::PositionMask{0.0001};
  EXPECT_EQ(typical_prepared_bytes(preprocess), 1U);
}

TEST(TypicalFile, IsNotKnownWhereTheFormSaysTooLittle) {
  EXPECT_FALSE(typical_prepared_bytes({}));
  EXPECT_FALSE(typical_prepared_bytes({ImagePreparation{{}, {}, {.format = FileFormat::kFhwc}}, {}}));
  EXPECT_FALSE(typical_prepared_bytes({ImagePreparation{20, 16, {.format = FileFormat::kJpeg}}, {}}));
  EXPECT_FALSE(typical_prepared_bytes({ImagePreparation{65'536, 65'536, {.format = FileFormat::kFhwc}}, {}}));
  EXPECT_FALSE(typical_prepared_bytes({{}, SoundPreparation{}}));
  EXPECT_FALSE(typical_prepared_bytes({{}, SoundPreparation{768'000, 3600}}));
}

}  // namespace
}  // namespace byteformer::prepare
