// Corruption: names and levels, what is done before and what after preparation, and re-encoding that keeps its place.
#include "data/corruption.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/loader.hpp"
#include "media/sound.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::data {
namespace {

using media::FileBytes;
using test::expect_error;

media::Image some_image(int side) {
  media::Image image{side, side, {}};
  for (int i = 0; i < 3 * side * side; ++i) image.rgb.push_back(static_cast<std::uint8_t>((i * i / 7) % 256));
  return image;
}

media::Sound some_sound(int sample_rate) {
  media::Sound sound{sample_rate, {}};
  for (int i = 0; i < sample_rate / 2; ++i)
    sound.samples.push_back(static_cast<float>(0.4 * std::sin(2 * M_PI * 440 * i / sample_rate) * (i > 1000)));
  return sound;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0, of_a = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] - b[i], 2), of_a += std::pow(a[i], 2);
  return std::sqrt(sum / of_a);
}

class CorruptionTest : public ::testing::Test {
 protected:
  Sample put(const std::string& name, const FileBytes& bytes) const {
    test::write_file(folder_ / name, std::string(bytes.begin(), bytes.end()));
    return {folder_ / name, 0, {}};
  }
  prepare::PreparedFile load(const Sample& sample, const prepare::Preprocess& preprocess, const std::string& kind,
                             double level, bool is_of_source = false) const {
    return load_corrupted(sample, preprocess, {&find_corruption_kind(kind), level, 5, is_of_source});
  }

  test::TemporaryFolder folder_;
  prepare::Preprocess pixels_{prepare::ImagePreparation{16, 16, {.format = prepare::FileFormat::kFhwc}}, {}};
  prepare::Preprocess sounds_{{}, prepare::SoundPreparation{8000, 0.5, {.format = prepare::FileFormat::kWav}}};
};

TEST_F(CorruptionTest, UnknownKindsNameTheNearest) {
  expect_error(ErrorCode::kInvalidArgument, {"`bitflips`", "did you mean `bit-flips`"},
               [] { find_corruption_kind("bitflips"); });
  expect_error(ErrorCode::kInvalidArgument, {"`x`", "there are bit-flips, byte-noise", "sample-rate"},
               [] { find_corruption_kind("x"); });
}

TEST_F(CorruptionTest, EveryKindTakesItsUsualLevelsAndNoneBeyondItsBounds) {
  for (const CorruptionKind& kind : corruption_kinds()) {
    EXPECT_EQ(&find_corruption_kind(kind.name), &kind);
    EXPECT_TRUE(std::ranges::is_sorted(kind.usual_levels)) << kind.name;
    for (const double level : kind.usual_levels) EXPECT_NO_THROW(validate_level(kind, level)) << kind.name;
    for (const double level : {kind.low - 1, kind.high + 1, std::nan("")})
      expect_error(ErrorCode::kInvalidArgument, {kind.name, kind.quantity}, [&] { validate_level(kind, level); });
  }
  expect_error(ErrorCode::kInvalidArgument, {"jpeg-quality", "whole numbers from 1 to 100", "not 2.5"},
               [] { validate_level(find_corruption_kind("jpeg-quality"), 2.5); });
}

TEST_F(CorruptionTest, ReEncodingNeedsAModelOfSuchFiles) {
  const auto& jpeg = find_corruption_kind("jpeg-quality");
  const auto& mp3 = find_corruption_kind("mp3-bitrate");
  EXPECT_NO_THROW(check_applies(jpeg, pixels_));
  EXPECT_NO_THROW(check_applies(mp3, sounds_));
  EXPECT_NO_THROW(check_applies(find_corruption_kind("truncate"), {}));
  expect_error(ErrorCode::kInvalidArgument, {"jpeg-quality", "pictures", "WAV int16"},
               [&] { check_applies(jpeg, sounds_); });
  expect_error(ErrorCode::kInvalidArgument, {"mp3-bitrate", "sounds", "fHWC"}, [&] { check_applies(mp3, pixels_); });
  expect_error(ErrorCode::kInvalidArgument, {"jpeg-quality", "files as they are"}, [&] { check_applies(jpeg, {}); });
}

TEST_F(CorruptionTest, DamageHitsWhatTheModelReads) {
  pixels_.transforms.shuffle = bytes::Shuffle{};
  const Sample sample = put("a.png", prepare::encode_image(some_image(40), {.format = prepare::FileFormat::kPng}));
  const FileBytes plain = load_prepared(sample, pixels_).bytes;
  const prepare::PreparedFile prepared = load(sample, pixels_, "bit-flips", 0.01);
  EXPECT_TRUE(prepared.was_prepared);
  EXPECT_NE(prepared.bytes, plain);
  EXPECT_EQ(prepared.bytes, bytes::damaged({bytes::DamageKind::kBitFlips, 0.01}, plain, 5));
}

TEST_F(CorruptionTest, DamageOfTheSourceComesBeforeTheDecoder) {
  const Sample sample = put("a.png", prepare::encode_image(some_image(40), {.format = prepare::FileFormat::kPng}));
  expect_error(ErrorCode::kInvalidFormat, {"a.png"}, [&] { load(sample, pixels_, "truncate", 0.5, true); });
  EXPECT_EQ(load(sample, pixels_, "truncate", 0.5).bytes.size(), 16U * 16 * 3 / 2);
  const Sample raw = put("raw", prepare::encode_image(some_image(16), {.format = prepare::FileFormat::kFhwc}));
  EXPECT_EQ(load(raw, pixels_, "zero-blocks", 0.5, true).bytes, load(raw, pixels_, "zero-blocks", 0.5).bytes);
}

TEST_F(CorruptionTest, PicturesGoThroughJpeg) {
  const Sample sample = put("a.png", prepare::encode_image(some_image(40), {.format = prepare::FileFormat::kPng}));
  const auto expected = [&](int quality) {
    const FileBytes jpeg = media::encode_jpeg(some_image(40), quality);
    return prepare::prepared(media::decode_image(jpeg, "t"), *pixels_.image, "t");
  };
  EXPECT_EQ(load(sample, pixels_, "jpeg-quality", 5).bytes, expected(5));
  EXPECT_EQ(load(sample, pixels_, "jpeg-quality", 90).bytes, expected(90));
  EXPECT_NE(expected(5), expected(90));
}

TEST_F(CorruptionTest, SoundsComeBackFromMp3InTheirPlace) {
  const media::Sound sound = some_sound(8000);
  const FileBytes wav = media::encode_wav(sound, media::SampleFormat::kFloat32);
  const auto through = [&](int kbit_per_s) {
    return media::decode_sound(re_encoded(wav, ReEncodingKind::kMp3Bitrate, kbit_per_s, "t"), "t");
  };
  const media::Sound good = through(64), bad = through(8);
  ASSERT_EQ(good.samples.size(), sound.samples.size());
  EXPECT_LT(distance(sound.samples, good.samples), 0.1);
  EXPECT_LT(distance(sound.samples, good.samples), distance(sound.samples, bad.samples));
  expect_error(ErrorCode::kInvalidArgument, {"t: ", "8000 Hz", "320 kbit/s", "nearest is 64"}, [&] { through(320); });
}

TEST_F(CorruptionTest, SoundsLoseWhatALowerRateCannotHold) {
  const FileBytes wav = media::encode_wav(some_sound(8000), media::SampleFormat::kFloat32);
  const Sample sample = put("a.wav", wav);
  const auto loss = [&](double rate) {
    const auto plain = media::decode_sound(load_prepared(sample, sounds_).bytes, "t").samples;
    const auto damaged = media::decode_sound(load(sample, sounds_, "sample-rate", rate).bytes, "t").samples;
    EXPECT_EQ(plain.size(), damaged.size());
    return distance(plain, damaged);
  };
  EXPECT_LT(loss(4000), 0.05) << "a tone of 440 Hz stays";
  EXPECT_GT(loss(500), 0.9) << "and goes";
}

TEST_F(CorruptionTest, FilesOfTheOtherKindStayAndWhatIsNeitherIsAnError) {
  const FileBytes wav = media::encode_wav(some_sound(8000), media::SampleFormat::kInt16);
  EXPECT_EQ(re_encoded(wav, ReEncodingKind::kJpegQuality, 5, "t"), wav);
  const FileBytes png = prepare::encode_image(some_image(8), {.format = prepare::FileFormat::kPng});
  EXPECT_EQ(re_encoded(png, ReEncodingKind::kMp3Bitrate, 8, "t"), png);
  expect_error(ErrorCode::kUnsupported, {"t: ", "no picture and no sound"}, [] {
    re_encoded({1, 2, 3}, ReEncodingKind::kJpegQuality, 5, "t");
  });
}

}  // namespace
}  // namespace byteformer::data
