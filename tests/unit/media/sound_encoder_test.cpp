// WAV and MP3 at their edges. Bytes are in golden_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "media/codecs.hpp"
#include "media/decoding.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

/// The only sample of a WAV with one sample, as the number that its bytes make.
std::uint32_t encoded(float x, SampleFormat format) {
  const FileBytes file = encode_wav({16000, {x}}, format);
  const std::size_t num_bytes = format == SampleFormat::kUint8 ? 1 : format == SampleFormat::kInt16 ? 2 : 4;
  const std::size_t data = num_bytes == 4 ? (format == SampleFormat::kInt32 ? 80 : 58) : 44;
  std::uint32_t value = 0;
  for (std::size_t i = num_bytes; i-- > 0;) value = value << 8 | file[data + i];
  return value;
}

TEST(Wav, SaturatesBeyondFullScale) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float x : {1.0f, 1.5f, 1e30f, infinity}) {
    EXPECT_EQ(encoded(x, SampleFormat::kInt32), 0x7FFFFFFFu);
    EXPECT_EQ(encoded(x, SampleFormat::kInt16), 32767u);
    EXPECT_EQ(encoded(x, SampleFormat::kUint8), 255u);
    EXPECT_EQ(std::bit_cast<float>(encoded(x, SampleFormat::kFloat32)), 1.0f);
    EXPECT_EQ(encoded(-x, SampleFormat::kInt32), 0x80000000u);
    EXPECT_EQ(encoded(-x, SampleFormat::kInt16), 0x10000u - 32767u);
    EXPECT_EQ(encoded(-x, SampleFormat::kUint8), 0u);
    EXPECT_EQ(std::bit_cast<float>(encoded(-x, SampleFormat::kFloat32)), -1.0f);
  }
}

TEST(Wav, WhatIsNoNumberIsSilence) {
  for (const auto format : {SampleFormat::kFloat32, SampleFormat::kInt32, SampleFormat::kInt16, SampleFormat::kUint8})
    EXPECT_EQ(encoded(std::nanf(""), format), encoded(0.0f, format));
}

TEST(Wav, RoundsTowardsZero) {
  EXPECT_EQ(encoded(1.9f / 32767, SampleFormat::kInt16), 1u);
  EXPECT_EQ(encoded(-1.9f / 32767, SampleFormat::kInt16), 0xFFFFu);
  EXPECT_EQ(encoded(0.0f, SampleFormat::kUint8), 127u);  // 127.5
}

TEST(Wav, FloatsLieOnTheirGrid) {
  constexpr float kStep = 1.0f / (1 << 24);
  EXPECT_EQ(published_float(0.49f * kStep), 0.0f);
  EXPECT_EQ(published_float(0.51f * kStep), kStep);
  EXPECT_EQ(published_float(1.0f - kStep), 1.0f - kStep);
  EXPECT_EQ(published_float(-0.51f * kStep), -kStep);
}

TEST(Wav, AnOddNumberOfBytesGetsAZero) {
  const FileBytes file = encode_wav({16000, {0, 0, 0}}, SampleFormat::kUint8);
  EXPECT_EQ(file.size(), 48u);
  EXPECT_EQ(file[4], 40);
  EXPECT_EQ(file[40], 3);
  EXPECT_EQ(file.back(), 0);
}

TEST(SampleFormat, NamesComeBack) {
  for (const auto format : {SampleFormat::kFloat32, SampleFormat::kInt32, SampleFormat::kInt16, SampleFormat::kUint8})
    EXPECT_EQ(parse_sample_format(to_string(format)), format);
  test::expect_error(ErrorCode::kInvalidArgument, {"float64", "float32, int32, int16 or uint8"},
                     [] { parse_sample_format("float64"); });
}

TEST(Mp3, HasTheFramesThatTheSpecificationCounts) {
  for (const std::size_t num_samples :
       {std::size_t{1}, std::size_t{575}, std::size_t{576}, std::size_t{577}, std::size_t{200'000}})
    EXPECT_EQ(encode_mp3({16000, std::vector<float>(num_samples, 0.25f)}).size(), ((num_samples + 575) / 576 + 2) * 108)
        << num_samples;
}

TEST(Mp3, RefusesOddRates) {
  for (const int rate : {0, -1, 12345, 96000})
    test::expect_error(ErrorCode::kInvalidArgument, {"MP3", std::to_string(rate), "16000"}, [&] {
      encode_mp3({rate, {0, 0}});
    });
}

TEST(Mp3, LameIsTheOneThatTheBytesCameFrom) { EXPECT_EQ(codecs().lame_version(), "3.100"); }

TEST(Mp3, TakesTheBitRateThatItIsTold) {
  const Sound sound{16000, std::vector<float>(16000, 0.25f)};
  EXPECT_EQ(encode_mp3(sound, 24), encode_mp3(sound)) << "LAME's own choice at this rate";
  EXPECT_GT(encode_mp3(sound, 64).size(), 2 * encode_mp3(sound, 24).size());
  test::expect_error(ErrorCode::kInvalidArgument, {"16000 Hz", "320 kbit/s", "nearest is 160"},
                     [&] { encode_mp3(sound, 320); });
}

TEST(Mp3, ComesLateByItsDelay) {
  Sound click{16000, std::vector<float>(4000)};
  click.samples[2000] = 0.9f;
  const Sound out = decode_sound(encode_mp3(click, 160), "t");
  const auto loudest = std::ranges::max_element(out.samples, {}, [](float x) { return std::abs(x); });
  EXPECT_EQ(static_cast<std::size_t>(loudest - out.samples.begin()), 2000 + kMp3DelaySamples);
}

TEST(Resample, KeepsAToneAndItsLength) {
  for (const auto& [from, to] :
       {std::pair{44100, 16000}, {8000, 16000}, {48000, 16000}, {16000, 8000}, {22050, 16000}}) {
    Sound sound{from, {}};
    for (int i = 0; i < from; ++i)
      sound.samples.push_back(static_cast<float>(0.5 * std::sin(2 * M_PI * 440 * i / from)));
    const Sound out = resampled(sound, to);
    EXPECT_EQ(out.sample_rate, to);
    ASSERT_EQ(out.samples.size(), static_cast<std::size_t>(to));
    for (int i = to / 10; i < to - to / 10; ++i)
      ASSERT_NEAR(out.samples[static_cast<std::size_t>(i)], 0.5 * std::sin(2 * M_PI * 440 * i / to), 2e-4)
          << from << " " << to << " " << i;
  }
}

TEST(Resample, ToTheSameRateChangesNothing) {
  const Sound sound{16000, test::tone()};
  EXPECT_EQ(resampled(sound, 16000), sound);
}

TEST(Resample, SurvivesShortSoundsAndExtremeRates) {
  for (const std::size_t num_samples : {0, 1, 2, 3})
    for (const auto& [from, to] : {std::pair{44100, 16000}, {63, 16000}, {192'000, 751}, {2'000'000, 16'000}}) {
      const Sound out = resampled({from, std::vector<float>(num_samples, 0.5f)}, to);
      EXPECT_LE(out.samples.size(), num_samples * 256);
    }
}

TEST(Resample, RefusesWhatCannotBe) {
  const Sound sound{16000, {0, 0}};
  test::expect_error(ErrorCode::kInvalidArgument, {"16000", "0 Hz", "positive"}, [&] { resampled(sound, 0); });
  test::expect_error(ErrorCode::kInvalidArgument, {"10 Hz", "256"}, [&] { resampled(sound, 10); });
  test::expect_error(ErrorCode::kInvalidArgument, {"1 Hz", "256"}, [&] { resampled({1, {0, 0}}, 16000); });
}

}  // namespace
}  // namespace byteformer::media
