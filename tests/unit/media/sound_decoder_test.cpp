// Every kind of sound in tests/data/sounds (made by make.sh there) decodes to the tone that it holds.
#include <gtest/gtest.h>

#include <cmath>

#include "media/pictures.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::media {
namespace {

using test::SoundSample;

class SoundTest : public testing::TestWithParam<SoundSample> {};

TEST_P(SoundTest, DecodesToTheTone) {
  const std::vector<float> tone = test::tone();
  const Sound sound = decode_sound(GetParam().bytes(), GetParam().name);
  EXPECT_EQ(sound.sample_rate, GetParam().sample_rate);
  ASSERT_EQ(sound.samples.size(), GetParam().num_samples);
  double largest = 0;
  for (std::size_t i = 0; i < std::min(tone.size(), sound.samples.size()); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(sound.samples[i]) - static_cast<double>(tone[i])));
  EXPECT_LE(largest, GetParam().tolerance);
}

TEST_P(SoundTest, IsRecognized) {
  std::string expected = GetParam().name.substr(GetParam().name.find('.') + 1);
  if (expected == "opus") expected = "ogg";
  if (expected == "aifc") expected = "aiff";
  EXPECT_EQ(sound_kind(GetParam().bytes()), expected);
}

TEST_P(SoundTest, CutShortIsAnError) {
  const auto bytes = GetParam().bytes();
  for (std::size_t size = 0; size + 1 < bytes.size(); size = size < 64 ? size + 1 : size + 61) {
    const std::vector<std::uint8_t> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    try {
      const Sound sound = decode_sound(shorter, "cut");
      // Only a cut between two frames of an MP3 cannot be seen.
      EXPECT_TRUE(GetParam().name.ends_with("mp3")) << size << " of " << bytes.size() << " bytes";
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("cut: ")) << error.what();
    }
  }
}

TEST_P(SoundTest, BeyondTheLimitIsAnError) {
  const auto bytes = GetParam().bytes();
  test::expect_error(ErrorCode::kInvalidFormat, {"big", "more than 1599"}, [&] { decode_sound(bytes, "big", 1599); });
  EXPECT_NO_THROW(decode_sound(bytes, "big", GetParam().num_samples));
}

INSTANTIATE_TEST_SUITE_P(Files, SoundTest, testing::ValuesIn(test::sounds()),
                         [](const auto& sound) { return test::test_name(sound.param.name); });

TEST(SoundDecoder, Int16IsDividedBy32768) {
  const auto bytes = test::read_bytes(test::data_path("encoders/audio/short_8k.int16.wav"));
  const Sound sound = decode_sound(bytes, "x");
  ASSERT_EQ(sound.samples.size(), 3001u);
  for (std::size_t i = 0; i < 3001; ++i) {
    const auto value = static_cast<std::int16_t>(bytes[44 + 2 * i] | bytes[45 + 2 * i] << 8);
    ASSERT_EQ(sound.samples[i], static_cast<float>(value) / 32768.0f) << i;
  }
}

TEST(SoundDecoder, NamesWhatItRefuses) {
  test::expect_error(ErrorCode::kUnsupported, {"x/y.bin", "WAV, FLAC"}, [] { decode_sound({}, "x/y.bin"); });
  test::expect_error(ErrorCode::kUnsupported, {"x/y.bin"},
                     [] { decode_sound(test::as_octets("RIFF1234WEBP"), "x/y.bin"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x/y.bin", "wav"},
                     [] { decode_sound(test::as_octets("RIFF1234WAVEfmt "), "x/y.bin"); });
}

TEST(SoundDecoder, SamplesThatAreNoNumbersAreDamage) {
  Sound sound{16000, std::vector<float>(100, 0.5f)};
  FileBytes bytes = encode_wav(sound, SampleFormat::kFloat32);
  for (std::size_t i = 0; i < 4; ++i) bytes[58 + 4 * 42 + i] = 0xFF;
  test::expect_error(ErrorCode::kInvalidFormat, {"x.wav", "sample 42", "finite"},
                     [&] { decode_sound(bytes, "x.wav"); });
}

TEST(SoundDecoder, OwnEncodingsComeBack) {
  const Sound sound{16000, test::tone()};
  EXPECT_EQ(decode_sound(encode_wav(sound, SampleFormat::kFloat32), "x"), sound);
  EXPECT_EQ(decode_sound(encode_wav(sound, SampleFormat::kInt32), "x"), sound);
  const Sound mp3 = decode_sound(encode_mp3(sound), "x");
  EXPECT_EQ(mp3.sample_rate, 16000);
  EXPECT_GE(mp3.samples.size(), sound.samples.size());
}

TEST(Sound, IsCutOrExtendedByZeros) {
  Sound sound{8000, {1, 2, 3}};
  fit(sound, 5);
  EXPECT_EQ(sound.samples, (std::vector<float>{1, 2, 3, 0, 0}));
  fit(sound, 2);
  EXPECT_EQ(sound.samples, (std::vector<float>{1, 2}));
}

}  // namespace
}  // namespace byteformer::media
