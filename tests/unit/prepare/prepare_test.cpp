// From any file to the form of a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/random.hpp"
#include "prepare/preprocess.hpp"
#include "support/errors.hpp"

namespace byteformer::prepare {
namespace {

using media::FileBytes;
using media::SampleFormat;
using test::expect_error;

FileBytes some_png(int width, int height) {
  media::Image image{width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height)};
  base::Random random(1);
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random.below(256));
  return encode_image(image, {.format = FileFormat::kPng});
}

FileBytes some_wav(int sample_rate, std::size_t num_samples) {
  media::Sound sound{sample_rate, std::vector<float>(num_samples)};
  for (std::size_t i = 0; i < num_samples; ++i) sound.samples[i] = std::sin(0.1F * static_cast<float>(i));
  return encode_sound(sound, {.format = FileFormat::kWav});
}

TEST(PrepareTest, EveryPictureComesOutInForm) {
  for (const auto format :
       {FileFormat::kTiff, FileFormat::kPng, FileFormat::kJpeg, FileFormat::kFhwc, FileFormat::kFchw}) {
    const Preprocess preprocess{ImagePreparation{40, 32, {.format = format, .quality = 60}}, {}};
    for (const auto& file : {some_png(40, 40), some_png(100, 50), some_png(20, 33)})
      EXPECT_TRUE(is_in_form(prepare_file(file, preprocess, "t"), preprocess)) << to_string(format);
  }
}

TEST(PrepareTest, EverySoundComesOutInForm) {
  for (const auto& file : {some_wav(8000, 8000), some_wav(16'000, 5000), some_wav(44'100, 60'000)}) {
    for (const auto format :
         {SampleFormat::kFloat32, SampleFormat::kInt32, SampleFormat::kInt16, SampleFormat::kUint8}) {
      const Preprocess preprocess{{},
                                  SoundPreparation{8000, 1.0, {.format = FileFormat::kWav, .sample_format = format}}};
      EXPECT_TRUE(is_in_form(prepare_file(file, preprocess, "t"), preprocess)) << media::to_string(format);
    }
    const Preprocess mp3{{}, SoundPreparation{16'000, 1.0, {.format = FileFormat::kMp3}}};
    EXPECT_TRUE(is_in_form(prepare_file(file, mp3, "t"), mp3));
  }
}

TEST(PrepareTest, LosslessPicturesComeThroughUnchanged) {
  const FileBytes png = some_png(32, 32);
  const Preprocess preprocess{ImagePreparation{32, 32, {.format = FileFormat::kPng}}, {}};
  EXPECT_EQ(prepare_file(png, preprocess, "t"), png);
  EXPECT_EQ(prepare_file(png, {}, "t"), png);
}

TEST(PrepareTest, LeavesOpenWhatThePreparationLeavesOpen) {
  const Preprocess image{ImagePreparation{{}, {}, {.format = FileFormat::kFhwc}}, {}};
  EXPECT_EQ(prepare_file(some_png(7, 5), image, "t").size(), 105U);
  const Preprocess sound{{}, SoundPreparation{{}, {}, {.format = FileFormat::kWav}}};
  EXPECT_EQ(prepare_file(some_wav(11'025, 700), sound, "t").size(), 1444U);
}

TEST(PrepareTest, SaysWhatTheModelExpects) {
  const Preprocess image{ImagePreparation{256, 224, {.format = FileFormat::kTiff}}, {}};
  const Preprocess sound{{}, SoundPreparation{8000, 1.0, {.format = FileFormat::kWav}}};
  expect_error(ErrorCode::kUnsupported, {"a.wav", "kind wav", "TIFF of 224x224 pixels"},
               [&] { prepare_file(some_wav(8000, 10), image, "a.wav"); });
  expect_error(ErrorCode::kUnsupported, {"a.png", "kind png", "WAV int16 of 1 s at 8000 Hz"},
               [&] { prepare_file(some_png(4, 4), sound, "a.png"); });
  const FileBytes text = {'h', 'e', 'l', 'l', 'o'};
  expect_error(ErrorCode::kUnsupported, {"a.txt", "no picture and no sound", "TIFF of 224x224"},
               [&] { prepare_file(text, image, "a.txt"); });
  const std::string_view pointer = "version https://git-lfs.github.com/spec/v1\n";
  expect_error(ErrorCode::kUnsupported, {"a.png", "that we know, but a pointer of Git LFS", "; the model expects TIFF"},
               [&] { prepare_file(FileBytes(pointer.begin(), pointer.end()), image, "a.png"); });
  expect_error(ErrorCode::kUnsupported, {"a.txt"}, [&] { prepare_file({}, sound, "a.txt"); });
  FileBytes cut = some_png(40, 40);
  cut.resize(cut.size() / 2);
  expect_error(ErrorCode::kInvalidFormat, {"cut.png"}, [&] { prepare_file(cut, image, "cut.png"); });
}

TEST(PrepareTest, OnlyWhatIsNotInFormIsPrepared) {
  const Preprocess image{ImagePreparation{32, 32, {.format = FileFormat::kTiff}}, {}};
  const PreparedFile first = prepare_if_needed(some_png(40, 50), image, "a.png");
  EXPECT_TRUE(first.was_prepared);
  EXPECT_EQ(first.bytes, prepare_file(some_png(40, 50), image, "a.png"));
  const PreparedFile again = prepare_if_needed(first.bytes, image, "a.tiff");
  EXPECT_FALSE(again.was_prepared);
  EXPECT_EQ(again.bytes, first.bytes);
  const PreparedFile bytes = prepare_if_needed(some_png(4, 4), {}, "a.png");
  EXPECT_FALSE(bytes.was_prepared);
  EXPECT_EQ(bytes.bytes, some_png(4, 4));
  expect_error(ErrorCode::kEmptyFile, {"a.tiff: is empty", "TIFF of 32x32"},
               [&] { prepare_if_needed({}, image, "a.tiff"); });
  expect_error(ErrorCode::kUnsupported, {"a.wav", "TIFF of 32x32"},
               [&] { prepare_if_needed(some_wav(8000, 10), image, "a.wav"); });
}

TEST(PrepareTest, EveryFileIsTransformedExactlyOnce) {
  const Preprocess plain{ImagePreparation{40, 32, {.format = FileFormat::kTiff}}, {}};
  Preprocess reversed = plain;
  reversed.transforms.shuffle = bytes::Shuffle{bytes::ShuffleMode::kReverse};
  FileBytes expected = prepare_file(some_png(40, 50), plain, "t");
  const FileBytes in_form = expected;
  std::ranges::reverse(expected);
  for (const FileBytes& file : {some_png(40, 50), in_form}) {
    const PreparedFile prepared = prepare_if_needed(file, reversed, "t");
    EXPECT_TRUE(prepared.was_prepared);
    EXPECT_EQ(prepared.bytes, expected);
  }
}

TEST(PrepareTest, FilesOfAnyKindAreTransformedToo) {
  const Preprocess reversed{{}, {}, {.shuffle = bytes::Shuffle{bytes::ShuffleMode::kReverse}}};
  const PreparedFile prepared = prepare_if_needed({1, 2, 3}, reversed, "t");
  EXPECT_TRUE(prepared.was_prepared);
  EXPECT_EQ(prepared.bytes, (FileBytes{3, 2, 1}));
  expect_error(ErrorCode::kEmptyFile, {"a.txt: is empty", "files with bytes reversed"},
               [&] { prepare_if_needed({}, reversed, "a.txt"); });
}

TEST(PrepareTest, WhatCannotBeTransformedNamesTheFile) {
  const Preprocess mask{{}, {}, {.mask = bytes::PositionMask{0.1}}};
  expect_error(ErrorCode::kEmptyFile, {"a.txt: keep_frac 0.1 keeps none of 3 bytes"}, [&] {
    prepare_if_needed({1, 2, 3}, mask, "a.txt");
  });
  const std::string fingerprint(64, 'f');
  const Preprocess keyed{{}, {}, {.permutations = {bytes::BytePermutation::of_fingerprint(fingerprint)}}};
  expect_error(ErrorCode::kInvalidArgument, {"a.txt: ", "secret key " + fingerprint}, [&] {
    prepare_if_needed({1, 2, 3}, keyed, "a.txt");
  });
}

TEST(PrepareTest, NoiseIsOfTheFileUnlessTrainingDrawsIt) {
  const Preprocess noisy{{}, {}, {.noise = bytes::UniformNoise{-20, 20}}};
  const FileBytes file(100, 128);
  const FileBytes once = prepare_if_needed(file, noisy, "a").bytes;
  EXPECT_EQ(prepare_if_needed(file, noisy, "b").bytes, once);
  base::Random random(1);
  const FileBytes drawn = transformed(file, noisy, "a", &random);
  EXPECT_NE(drawn, once);
  EXPECT_NE(transformed(file, noisy, "a", &random), drawn);
}

TEST(PrepareTest, ACropLargerThanThePictureSaysWhich) {
  const Preprocess image{ImagePreparation{{}, 64, {.format = FileFormat::kTiff}}, {}};
  expect_error(ErrorCode::kInvalidArgument, {"small.png", "64"},
               [&] { prepare_file(some_png(40, 80), image, "small.png"); });
}

TEST(PrepareTest, RefusesEncodingsOfTheOtherKind) {
  expect_error(ErrorCode::kInvalidArgument, {"wav"}, [] {
    encode_image({1, 1, {0, 0, 0}}, {.format = FileFormat::kWav});
  });
  expect_error(ErrorCode::kInvalidArgument, {"png"}, [] { encode_sound({8000, {0}}, {.format = FileFormat::kPng}); });
}

TEST(PrepareTest, DurationsAreRoundedToSamples) {
  EXPECT_EQ(media::num_samples(1, 16'000), 16'000U);
  EXPECT_EQ(media::num_samples(0.3, 11'025), 3308U);
}

}  // namespace
}  // namespace byteformer::prepare
