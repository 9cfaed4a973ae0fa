// Files of the kinds on which other programs failed in public reports, or that they wrote. docs/odd-inputs.md says
// which report each stands for. What programs wrote lies in tests/data/reported: pipes of arecord 1.2.8, and what
// parec 16.1 left when it was killed, with the samples of tests/data/sounds/tone.f32 behind their headers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/bytes_io.hpp"
#include "media/image.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

using test::expect_error;

FileBytes reported(const std::string& name) { return test::read_bytes(test::data_path("reported/" + name)); }

FileBytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

void expect_tone(const FileBytes& file) {
  const std::vector<float> samples = decode_sound(file, "x").samples;
  const std::vector<float> tone = test::tone();
  ASSERT_EQ(samples.size(), tone.size());
  for (std::size_t i = 0; i < tone.size(); ++i) ASSERT_NEAR(samples[i], tone[i], 1e-4) << i;
}

TEST(ReportedSounds, OfRecordersThatNeverEndedAreReadToTheirEnd) {
  for (const char* name :
       {"arecord.wav", "arecord.au", "parec.au", "parec.aiff", "parec.caf", "parec.rf64", "parec.w64"}) {
    SCOPED_TRACE(name);
    expect_tone(reported(name));
  }
}

TEST(ReportedSounds, LittleEndianAuMaySayItsLength) {
  FileBytes file = reported("parec.au");
  EXPECT_EQ(sound_kind(file), "au");
  const std::size_t num_bytes = file.size() - 24;
  for (std::size_t i = 0; i < 4; ++i) file[8 + i] = static_cast<std::uint8_t>(num_bytes >> (8 * i));
  expect_tone(file);
  file.resize(file.size() - 2);
  expect_error(ErrorCode::kInvalidFormat, {"ends too early"}, [&] { decode_sound(file, "x"); });
}

TEST(ReportedSounds, FlacInOggIsReadAsItsFlac) {
  const FileBytes file = reported("ffmpeg_flac.ogg");
  expect_tone(file);
  FileBytes twice = file;
  twice.insert(twice.end(), file.begin(), file.end());
  EXPECT_EQ(decode_sound(twice, "x").samples.size(), 2 * test::tone().size());
  const FileBytes cut(file.begin(), file.end() - 10);
  expect_error(ErrorCode::kInvalidFormat, {"x", "ends too early"}, [&] { decode_sound(cut, "x"); });
}

TEST(ReportedSounds, CodingsThatNobodyHereReadsAreNamed) {
  expect_error(ErrorCode::kUnsupported, {"x", "coding inside caf", "convert it"},
               [] { decode_sound(reported("ffmpeg_alac.caf"), "x"); });
}

TEST(ReportedSounds, Mp3InWavIsDecoded) {
  const Sound sound = decode_sound(reported("ffmpeg_mp3.wav"), "x");
  EXPECT_EQ(sound.sample_rate, 16000);
  const auto power = [](const std::vector<float>& samples) {
    double sum = 0;
    for (const float x : samples) sum += double{x} * x;
    return sum;
  };
  EXPECT_NEAR(power(sound.samples) / power(test::tone()), 1, 0.1);
}

/// A WAV of 24 bits and `num_frames` frames. \param before, behind its chunks around the samples
FileBytes wav24(std::size_t num_frames, std::string_view before, std::string_view behind) {
  FileBytes body;
  base::append_text(body, {"WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1F\0\0\xC0\x5D\0\0\3\0\x18\0", 28});
  base::append_text(body, before);
  base::append_text(body, "data");
  base::append_little_endian(body, 3 * num_frames, 4);
  for (std::size_t i = 0; i < num_frames; ++i) base::append_text(body, {"\0\0\x40", 3});
  base::append_text(body, behind);
  FileBytes file = bytes_of("RIFF");
  base::append_little_endian(file, body.size(), 4);
  file.insert(file.end(), body.begin(), body.end());
  return file;
}

TEST(ReportedSounds, ChunksOfOddLengthArePaddedOrNot) {
  const std::string odd("LIST\x0F\0\0\0INFOISFT\3\0\0\0abc\0", 24);
  for (const FileBytes& file : {wav24(101, odd, ""), wav24(101, "", ""), wav24(101, "", {"\0", 1}),
                                wav24(101, "", {"\0LIST\4\0\0\0INFO", 13}), wav24(101, "", {"LIST\4\0\0\0INFO", 12})}) {
    const Sound sound = decode_sound(file, "x");
    EXPECT_EQ(sound.samples, std::vector<float>(101, 0.5F));
  }
}

TEST(ReportedFiles, WhatIsNoPictureAndNoSoundIsNamed) {
  const std::pair<std::string, const char*> files[] = {
      {std::string("\0\0\0\x20", 4) + "ftypM4A " + std::string(50, '\0'), "an MP4 or M4A file"},
      {std::string("\0\0\0\x18", 4) + "ftypheic" + std::string(50, '\0'), "a HEIC picture"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "`git lfs pull`"},
      {"<!DOCTYPE html><title>404</title>", "an HTML page"},
      {"NIST_1A\n   1024\n", "a NIST SPHERE sound"},
      {"Creative Voice File\x1A", "a VOC sound"}};
  for (const auto& file : files) {
    const auto bytes = bytes_of(file.first);
    expect_error(ErrorCode::kUnsupported, {"no sound that byteformer knows, but", file.second},
                 [&] { decode_sound(bytes, "x"); });
    expect_error(ErrorCode::kUnsupported, {"no picture that byteformer knows, but", file.second},
                 [&] { decode_image(bytes, "x"); });
  }
}

/// The grey of each pixel of a picture that is grey.
std::vector<int> greys(const std::string& name) {
  const Image image = decode_image(reported(name), name);
  std::vector<int> out;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    EXPECT_TRUE(image.rgb[i] == image.rgb[i + 1] && image.rgb[i] == image.rgb[i + 2]);
    out.push_back(image.rgb[i]);
  }
  return out;
}

TEST(ReportedPng, GreyOf16BitsKeepsItsRangeAndItsTransparentValue) {
  std::vector<int> ramp(256);
  for (int i = 0; i < 256; ++i) ramp[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(greys("g16.png"), ramp);
  EXPECT_EQ(greys("bad_iccp.png"), ramp);
  EXPECT_EQ(greys("badcrc_text.png"), ramp);
  ramp[0] = 255;
  EXPECT_EQ(greys("g16_trns.png"), ramp);
  ramp[0] = 0;
  ramp[5] = 255;
  EXPECT_EQ(greys("g8_trns.png"), ramp);
}

TEST(ReportedPng, APaletteMayHaveFewerOpacitiesThanColours) {
  const Image image = decode_image(reported("pal_short_trns.png"), "x");
  const std::vector<std::uint8_t> first(image.rgb.begin(), image.rgb.begin() + 12);
  EXPECT_THAT(first, testing::ElementsAre(255, 255, 255, 129, 129, 130, 6, 7, 8, 9, 10, 11));
}

TEST(ReportedJpeg, JunkBeforeTheEndIsPassedOver) {
  EXPECT_EQ(decode_image(reported("junk_before_eoi.jpg"), "x"), decode_image(reported("plain.jpg"), "x"));
}

TEST(ReportedBmp, RunLengthsWithOddRunsAndJumps) {
  EXPECT_THAT(greys("rle4_odd_abs.bmp"), testing::ElementsAre(0x50, 0x60, 0x70, 0x80, 0x10, 0x20, 0x30, 0x40));
  EXPECT_THAT(greys("rle8_delta.bmp"), testing::ElementsAre(0, 0, 0, 0x30, 0x10, 0x10, 0, 0));
}

}  // namespace
}  // namespace byteformer::media
