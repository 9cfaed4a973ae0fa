// Whether a file is what a model expects: its own encodings are, anything else is not, and nothing crashes.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"
#include "media/places.hpp"
#include "prepare/preprocess.hpp"
#include "support/guarded_buffer.hpp"

namespace byteformer::prepare {
namespace {

using media::FileBytes;
using media::SampleFormat;

media::Image picture(int width, int height) {
  media::Image image{width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height)};
  base::Random random(1);
  for (auto& value : image.rgb) value = static_cast<std::uint8_t>(random.below(200));
  return image;
}

media::Sound tone(int sample_rate, std::size_t num_samples) {
  media::Sound sound{sample_rate, std::vector<float>(num_samples)};
  for (std::size_t i = 0; i < num_samples; ++i) sound.samples[i] = 0.5F * std::sin(0.05F * static_cast<float>(i));
  return sound;
}

Preprocess for_image(Encoding encoding, std::optional<int> resize = {}, std::optional<int> crop = 24) {
  return {ImagePreparation{resize, crop, encoding}, {}};
}

Preprocess for_sound(Encoding encoding, std::optional<int> rate = 8000, std::optional<double> duration_s = 0.5) {
  return {{}, SoundPreparation{rate, duration_s, encoding}};
}

constexpr FileFormat kImageFormats[] = {FileFormat::kTiff, FileFormat::kPng, FileFormat::kJpeg, FileFormat::kFhwc,
                                        FileFormat::kFchw};
constexpr SampleFormat kSampleFormats[] = {SampleFormat::kFloat32, SampleFormat::kInt32, SampleFormat::kInt16,
                                           SampleFormat::kUint8};

std::vector<Encoding> all_encodings() {
  std::vector<Encoding> encodings;
  for (const FileFormat format : kImageFormats) encodings.push_back({.format = format, .quality = 75});
  for (const SampleFormat format : kSampleFormats)
    encodings.push_back({.format = FileFormat::kWav, .sample_format = format});
  encodings.push_back({.format = FileFormat::kMp3});
  return encodings;
}

FileBytes file_of(const Encoding& encoding) {
  return is_image(encoding.format) ? encode_image(picture(24, 24), encoding) : encode_sound(tone(8000, 4000), encoding);
}

Preprocess form_of(const Encoding& encoding) {
  return is_image(encoding.format) ? for_image(encoding) : for_sound(encoding);
}

bool is_raw(FileFormat format) { return format == FileFormat::kFhwc || format == FileFormat::kFchw; }

TEST(FileFormTest, EveryEncodingIsInItsOwnFormOnly) {
  for (const Encoding& written : all_encodings()) {
    const FileBytes file = file_of(written);
    for (const Encoding& expected : all_encodings()) {
      const bool is_same = written == expected || (is_raw(written.format) && is_raw(expected.format));
      EXPECT_EQ(is_in_form(file, form_of(expected)), is_same)
          << describe(form_of(written)) << " taken for " << describe(form_of(expected));
    }
    EXPECT_TRUE(is_in_form(file, Preprocess{}));
  }
}

TEST(FileFormTest, DimensionsOfPicturesMustAgree) {
  for (const FileFormat format : kImageFormats) {
    const Encoding encoding{.format = format};
    const FileBytes wide = encode_image(picture(36, 24), encoding);
    EXPECT_FALSE(is_in_form(wide, for_image(encoding))) << to_string(format);
    EXPECT_TRUE(is_in_form(wide, for_image(encoding, 24, {}))) << to_string(format);
    EXPECT_TRUE(is_in_form(wide, for_image(encoding, {}, {}))) << to_string(format);
    EXPECT_FALSE(is_in_form(wide, for_image(encoding, 25, {}))) << to_string(format);
  }
}

TEST(FileFormTest, RatesAndLengthsOfSoundsMustAgree) {
  for (const Encoding& encoding : all_encodings()) {
    if (is_image(encoding.format)) continue;
    const FileBytes file = file_of(encoding);
    EXPECT_FALSE(is_in_form(file, for_sound(encoding, 16'000, 0.5))) << describe(for_sound(encoding));
    EXPECT_FALSE(is_in_form(file, for_sound(encoding, 8000, 0.7))) << describe(for_sound(encoding));
    EXPECT_TRUE(is_in_form(file, for_sound(encoding, {}, 0.5))) << describe(for_sound(encoding));
    EXPECT_TRUE(is_in_form(file, for_sound(encoding, {}, {}))) << describe(for_sound(encoding));
  }
}

/// What a watch says of `file` in pieces of `piece_bytes`.
bool watched(std::span<const std::uint8_t> file, const Preprocess& preprocess, std::size_t piece_bytes) {
  FormWatch watch(preprocess);
  for (std::size_t at = 0; at < file.size(); at += piece_bytes)
    watch.push(file.subspan(at, std::min(piece_bytes, file.size() - at)));
  return watch.is_as_read();
}

TEST(FileFormTest, AFileInPiecesIsJudgedAsAWhole) {
  for (const Encoding& written : all_encodings()) {
    const FileBytes file = file_of(written);
    for (const Encoding& expected : all_encodings())
      for (const std::size_t size : {file.size(), file.size() - 1, file.size() / 2, std::size_t{1}, std::size_t{0}}) {
        const std::span<const std::uint8_t> part(file.data(), size);
        const bool is_right = is_as_read(part, form_of(expected));
        for (const std::size_t piece_bytes : {1U, 7U, 4096U})
          EXPECT_EQ(watched(part, form_of(expected), piece_bytes), is_right)
              << describe(form_of(written)) << " taken for " << describe(form_of(expected)) << ", " << size;
      }
  }
}

TEST(FileFormTest, AWatchKnowsLongFilesByTheirEnds) {
  for (const Encoding& encoding : all_encodings()) {
    const bool is_picture = is_image(encoding.format);
    FileBytes file =
        is_picture ? encode_image(picture(400, 300), encoding) : encode_sound(tone(8000, 400'000), encoding);
    const Preprocess form = is_picture ? for_image(encoding, 300, {}) : for_sound(encoding, 8000, 50.0);
    EXPECT_TRUE(watched(file, form, 1000)) << describe(form);
    file.pop_back();
    EXPECT_FALSE(watched(file, form, 1000)) << describe(form);
  }
}

TEST(FileFormTest, NobodySeesWhetherBytesWereTransformed) {
  const Encoding tiff{.format = FileFormat::kTiff};
  Preprocess form = form_of(tiff);
  const FileBytes file = file_of(tiff);
  EXPECT_TRUE(is_as_read(file, form));
  form.transforms.noise = bytes::UniformNoise{-1, 1};
  EXPECT_TRUE(is_in_form(file, form));
  EXPECT_FALSE(is_as_read(file, form));
  EXPECT_FALSE(watched(file, form, 100));
}

TEST(FileFormTest, AFileThatIsReadInPiecesIsAsReadWhereItIsNoLonger) {
  Preprocess form;
  form.transforms.pieces = bytes::Pieces{10, 20, 30};
  const FileBytes file(61);
  EXPECT_TRUE(is_as_read({file.data(), 60}, form));
  EXPECT_FALSE(is_as_read(file, form));
  EXPECT_TRUE(watched({file.data(), 60}, form, 7));
  EXPECT_FALSE(watched(file, form, 7));
}

TEST(FileFormTest, LengthsOfMp3AreKnownAtEveryRate) {
  const Encoding mp3{.format = FileFormat::kMp3};
  for (const int rate : {8000, 16'000, 22'050, 44'100, 48'000})
    for (const std::size_t samples : {1U, 575U, 576U, 577U, 1152U, 5000U, 16'000U}) {
      const double duration_s = static_cast<double>(samples) / rate;
      EXPECT_TRUE(is_in_form(encode_sound(tone(rate, samples), mp3), for_sound(mp3, rate, duration_s)))
          << rate << " Hz, " << samples << " samples";
    }
}

TEST(FileFormTest, TheQualityOfJpegIsRead) {
  for (int quality = 1; quality <= 100; ++quality) {
    const FileBytes file = encode_image(picture(24, 24), {.format = FileFormat::kJpeg, .quality = quality});
    EXPECT_TRUE(is_in_form(file, for_image({.format = FileFormat::kJpeg, .quality = quality}))) << quality;
    const int other = quality < 50 ? quality + 25 : quality - 25;
    EXPECT_FALSE(is_in_form(file, for_image({.format = FileFormat::kJpeg, .quality = other}))) << quality;
  }
}

TEST(FileFormTest, OddNumbersOfBytesArePadded) {
  const Encoding encoding{.format = FileFormat::kWav, .sample_format = SampleFormat::kUint8};
  const FileBytes file = encode_sound(tone(8000, 4001), encoding);
  EXPECT_TRUE(is_in_form(file, for_sound(encoding, 8000, 4001 / 8000.0)));
}

TEST(FileFormTest, CutFilesAreNotInFormAndNothingIsReadBeyondTheEnd) {
  for (const Encoding& encoding : all_encodings()) {
    const FileBytes file = file_of(encoding);
    for (std::size_t size = 0; size < std::min<std::size_t>(file.size(), 1000); ++size) {
      test::GuardedBuffer<std::uint8_t> cut(size);
      std::copy_n(file.begin(), size, cut.data());
      for (const Encoding& expected : all_encodings())
        EXPECT_FALSE(is_in_form({cut.data(), size}, form_of(expected))) << describe(form_of(encoding)) << ", " << size;
    }
  }
}

TEST(FileFormTest, AJointModelTakesBothKinds) {
  const Encoding tiff{.format = FileFormat::kTiff};
  const Encoding wav{.format = FileFormat::kWav};
  const Preprocess joint{for_image(tiff).image, for_sound(wav).sound};
  EXPECT_TRUE(is_in_form(file_of(tiff), joint));
  EXPECT_TRUE(is_in_form(file_of(wav), joint));
  EXPECT_FALSE(is_in_form(file_of({.format = FileFormat::kPng}), joint));
}

TEST(WavHeaderTest, IsReadWithChunksBeforeTheSamples) {
  FileBytes file = file_of({.format = FileFormat::kWav});
  constexpr std::string_view kList("LIST\3\0\0\0abc\0", 12);  // three bytes, and one to make them even
  file.insert(file.begin() + 36, kList.begin(), kList.end());
  const auto header = media::parse_wav_header(file);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->sample_rate, 8000);
  EXPECT_EQ(header->num_frames(), 4000U);
  EXPECT_EQ(header->data_offset, 56U);
  EXPECT_FALSE(is_in_form(file, for_sound({.format = FileFormat::kWav})));  // the model never saw a LIST
}

}  // namespace
}  // namespace byteformer::prepare
