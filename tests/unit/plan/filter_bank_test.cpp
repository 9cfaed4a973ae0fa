// What the first stem makes of tones and pictures.
#include "plan/filter_bank.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.hpp"
#include "prepare/preprocess.hpp"
#include "support/errors.hpp"

namespace byteformer::plan {
namespace {

using Kind = ByteNumbers::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kHidden = 96;
constexpr std::size_t kPairs = kHidden / 2;

format::ModelConfig config_of(const prepare::Preprocess& preprocess, std::int64_t kernel) {
  format::ModelConfig config;
  config.hidden_size = kHidden;
  config.conv_kernel_size = kernel;
  config.preprocess = prepare::to_json(preprocess);
  return config;
}

format::ModelConfig config_of(prepare::FileFormat format, std::int64_t kernel,
                              const bytes::Transforms& transforms = {}) {
  prepare::Preprocess preprocess;
  if (prepare::is_image(format)) preprocess.image = {{}, {}, {.format = format}};
  if (!prepare::is_image(format)) preprocess.sound = {8000, 1, {.format = format}};
  preprocess.transforms = transforms;
  return config_of(preprocess, kernel);
}

format::ModelConfig config_of(media::SampleFormat format, std::int64_t kernel) {
  prepare::Preprocess preprocess;
  preprocess.sound = {8000, 1, {.format = prepare::FileFormat::kWav, .sample_format = format}};
  return config_of(preprocess, kernel);
}

/// A stem: the filters alone, or over noise as a published start leaves it.
struct Stem {
  explicit Stem(const format::ModelConfig& config, std::uint64_t seed = 0, double noise = 0)
      : kernel(static_cast<std::size_t>(config.conv_kernel_size)),
        embeddings(257 * kHidden),
        convolution(kHidden * kHidden * kernel) {
    base::Random random(7);
    for (float& x : embeddings) x = static_cast<float>(0.1 * noise * random.normal());
    for (float& x : convolution) x = static_cast<float>(0.01 * noise * random.normal());
    start_as_filter_bank(config, seed, embeddings, convolution);
  }

  /// What each channel makes of the token at `token`.
  std::vector<double> operator()(const std::vector<std::uint8_t>& file, std::size_t token) const {
    std::vector<double> response(kHidden);
    for (std::size_t out = 0; out < kHidden; ++out)
      for (std::size_t tap = 0; tap < kernel; ++tap) {
        const float* const row = embeddings.data() + file.at(token * kernel / 2 + tap) * kHidden;
        for (std::size_t in = 0; in < kHidden; ++in)
          response[out] += double{convolution[(out * kHidden + in) * kernel + tap]} * double{row[in]};
      }
    return response;
  }

  std::size_t kernel;
  std::vector<float> embeddings, convolution;
};

/// \param frequency of the Nyquist frequency
std::vector<std::uint8_t> tone(double frequency, media::SampleFormat format) {
  media::Sound sound{8000, std::vector<float>(1000)};
  for (std::size_t i = 0; i < sound.samples.size(); ++i)
    sound.samples[i] = static_cast<float>(0.7 * std::sin(std::numbers::pi * frequency * static_cast<double>(i) + 0.3));
  return media::encode_wav(sound, format);
}

std::size_t loudest_pair(const std::vector<double>& response) {
  const auto energy = [&](std::size_t pair) { return std::hypot(response[2 * pair], response[2 * pair + 1]); };
  std::size_t loudest = 0;
  for (std::size_t pair = 1; pair < kPairs; ++pair)
    if (energy(pair) > energy(loudest)) loudest = pair;
  return loudest;
}

class SampleFormatTest : public testing::TestWithParam<media::SampleFormat> {
 protected:
  static std::int64_t num_bytes() {
    return GetParam() == media::SampleFormat::kUint8 ? 1 : GetParam() == media::SampleFormat::kInt16 ? 2 : 4;
  }
};

TEST_P(SampleFormatTest, APureToneIsLoudestInItsOwnFilter) {
  const Stem stem(config_of(GetParam(), 64 * num_bytes()), 0, 1);
  for (const std::size_t pair : {3, 10, 24, 40})
    for (const std::size_t token : {2, 5})
      EXPECT_EQ(loudest_pair(stem(tone((static_cast<double>(pair) + 0.5) / kPairs, GetParam()), token)), pair);
}

INSTANTIATE_TEST_SUITE_P(Formats, SampleFormatTest,
                         testing::Values(media::SampleFormat::kUint8, media::SampleFormat::kInt16,
                                         media::SampleFormat::kInt32, media::SampleFormat::kFloat32),
                         [](const auto& format) { return std::string(media::to_string(format.param)); });

TEST(FilterBankTest, TheSameSoundGivesTheSameUpToQuantisation) {
  const double frequency = 10.5 / kPairs;
  const auto samples_from = [&](media::SampleFormat format, std::size_t first, std::int64_t num_bytes) {
    const std::vector<std::uint8_t> file = tone(frequency, format);
    const std::size_t header = file.size() - 1000 * static_cast<std::size_t>(num_bytes);
    const auto begin =
        file.begin() + static_cast<std::ptrdiff_t>(header) + static_cast<std::ptrdiff_t>(first) * num_bytes;
    return Stem(config_of(format, 64 * num_bytes))(std::vector(begin, file.end()), 0);
  };
  const std::vector<double> uint8 = samples_from(media::SampleFormat::kUint8, 100, 1);
  const std::vector<double> int16 = samples_from(media::SampleFormat::kInt16, 100, 2);
  const std::vector<double> int32 = samples_from(media::SampleFormat::kInt32, 100, 4);
  EXPECT_GT(*std::ranges::max_element(int16), 5);
  // The length of a filter is 4; rounding is at most 1/127.5 in each of 64 samples, 1/32768 with two bytes.
  for (std::size_t i = 0; i < kHidden; ++i) {
    EXPECT_NEAR(uint8[i], int16[i], 4 * 8 / 127.5) << i;
    EXPECT_NEAR(int32[i], int16[i], 4 * 8 / 16384.0) << i;
  }
}

/// Rows of one colour, `per_pixel` more in each pixel.
media::Image picture(int red, int green, int blue, int per_pixel = 0) {
  media::Image image{32, 8, {}};
  for (int i = 0; i < image.width * image.height; ++i)
    for (const int channel : {red, green, blue})
      image.rgb.push_back(static_cast<std::uint8_t>(channel + per_pixel * (i % image.width)));
  return image;
}

std::size_t strongest(const std::vector<double>& response) {
  const auto is_weaker = [](double a, double b) { return std::abs(a) < std::abs(b); };
  return static_cast<std::size_t>(std::ranges::max_element(response, is_weaker) - response.begin());
}

TEST(FilterBankTest, LuminanceAndColourHaveFiltersOfTheirOwn) {
  for (const prepare::FileFormat format : {prepare::FileFormat::kFhwc, prepare::FileFormat::kTiff}) {
    const Stem stem(config_of(format, 48));
    const auto response = [&](const media::Image& image) {
      return stem(prepare::encode_image(image, {.format = format}), 10);  // inside a row
    };
    const std::vector<double> grey = response(picture(180, 180, 180, 2));
    EXPECT_EQ(strongest(grey), 0U);
    EXPECT_GT(std::abs(grey[3]), 0.1) << "it grows brighter along the row";
    for (std::size_t i = 1; i < kHidden; i += 3) {
      EXPECT_NEAR(grey[i], 0, 1e-4) << i;
      EXPECT_NEAR(grey[i + 1], 0, 1e-4) << i;
    }
    EXPECT_EQ(strongest(response(picture(255, 0, 128))), 1U);
    EXPECT_EQ(strongest(response(picture(128, 128, 0))), 2U);
  }
}

TEST(FilterBankTest, PlanesAreReadWithoutColours) {
  const Stem stem(config_of(prepare::FileFormat::kFchw, 32));
  const std::vector<double> even = stem(std::vector<std::uint8_t>(64, 200), 0);
  EXPECT_EQ(strongest(even), 0U);
  for (std::size_t i = 1; i < kHidden; ++i) EXPECT_NEAR(even[i], 0, 1e-4) << i;
}

TEST(FilterBankTest, AJointModelReadsBoth) {
  prepare::Preprocess preprocess;
  preprocess.image = {{}, {}, {.format = prepare::FileFormat::kFhwc}};
  preprocess.sound = {8000, 1, {.format = prepare::FileFormat::kWav, .sample_format = media::SampleFormat::kInt16}};
  const Stem stem(config_of(preprocess, 96));
  std::vector<double> of_picture = stem(picture(255, 0, 128).rgb, 0);
  for (std::size_t i = 1; i < kHidden; i += 2) of_picture[i] = 0;  // the sound's channels
  EXPECT_EQ(strongest(of_picture), 2U) << "the second of every other channel";
  std::vector<double> of_sound;
  const std::vector<double> all = stem(tone(10.5 / (kPairs / 2), media::SampleFormat::kInt16), 3);
  for (std::size_t i = 1; i < kHidden; i += 2) of_sound.push_back(all[i]);
  of_sound.resize(kHidden);
  EXPECT_EQ(loudest_pair(of_sound), 10U);
}

TEST(FilterBankTest, TheSeedDecides) {
  const format::ModelConfig config = config_of(prepare::FileFormat::kFhwc, 48);
  const Stem stem(config, 1, 1), same(config, 1, 1), other(config, 2, 1);
  EXPECT_EQ(stem.embeddings, same.embeddings);
  EXPECT_EQ(stem.convolution, same.convolution);
  EXPECT_NE(stem.embeddings, other.embeddings);
  EXPECT_NE(stem.convolution, other.convolution);
}

TEST(FilterBankTest, ThePaddingStaysAndNoiseIsLeftOver) {
  const format::ModelConfig config = config_of(prepare::FileFormat::kFhwc, 48);
  const Stem filters(config), noisy(config, 0, 1);
  std::vector<float> before(257 * kHidden);
  base::Random random(7);
  for (float& x : before) x = static_cast<float>(0.1 * random.normal());
  const auto at_padding = static_cast<std::ptrdiff_t>(256 * kHidden);
  EXPECT_TRUE(std::equal(before.begin() + at_padding, before.end(), noisy.embeddings.begin() + at_padding));
  double left = 0, had = 0;
  for (std::size_t i = 0; i < 256 * kHidden; ++i) {
    left += std::pow(double{noisy.embeddings[i]} - double{filters.embeddings[i]}, 2);
    had += std::pow(double{before[i]}, 2);
  }
  EXPECT_NEAR(std::sqrt(left / had), 0.5, 0.01);
}

std::vector<Kind> kinds(const format::ModelConfig& config) {
  std::vector<Kind> kinds;
  for (const ByteNumbers& n : numbers_of(config)) kinds.push_back(n.kind);
  return kinds;
}

TEST(FilterBankTest, CompressedAndUnknownBytesAreNoNumbers) {
  for (const auto format : {prepare::FileFormat::kJpeg, prepare::FileFormat::kPng, prepare::FileFormat::kMp3})
    EXPECT_THAT(kinds(config_of(format, 48)), IsEmpty()) << prepare::to_string(format);
  EXPECT_THAT(kinds(config_of(prepare::Preprocess{}, 16)), IsEmpty());
  EXPECT_THAT(kinds(config_of(prepare::FileFormat::kFhwc, 0)), IsEmpty()) << "without a convolution";
  bytes::Transforms permuted;
  permuted.permutations.push_back(bytes::BytePermutation::of_seed());
  EXPECT_THAT(kinds(config_of(prepare::FileFormat::kFhwc, 48, permuted)), IsEmpty());
  test::expect_error(ErrorCode::kInvalidArgument, {"no numbers"},
                     [] { Stem stem(config_of(prepare::FileFormat::kJpeg, 48)); });
}

TEST(FilterBankTest, TokensMustBeginAtTheSameByteOfANumber) {
  EXPECT_THAT(kinds(config_of(media::SampleFormat::kInt16, 16)), ElementsAre(Kind::kInt16));
  EXPECT_THAT(kinds(config_of(media::SampleFormat::kInt16, 6)), IsEmpty());
  EXPECT_THAT(kinds(config_of(media::SampleFormat::kFloat32, 4)), IsEmpty());
  EXPECT_THAT(kinds(config_of(prepare::FileFormat::kTiff, 48)), ElementsAre(Kind::kRgb));
  EXPECT_THAT(kinds(config_of(prepare::FileFormat::kTiff, 32)), ElementsAre(Kind::kPlanes)) << "at any colour";
}

TEST(FilterBankTest, WithoutNeighboursOnlyValuesAreKnown) {
  bytes::Transforms transforms;
  transforms.shuffle = {bytes::ShuffleMode::kWindowShuffle, 64};
  const format::ModelConfig config = config_of(prepare::FileFormat::kFhwc, 48, transforms);
  ASSERT_EQ(numbers_of(config).size(), 1U);
  EXPECT_FALSE(numbers_of(config)[0].are_in_order);
  const Stem stem(config);
  EXPECT_THAT(stem.convolution, testing::Each(0));
  const auto length = [&](std::size_t byte) {
    return std::hypot(stem.embeddings[byte * kHidden], stem.embeddings[byte * kHidden + 1]);
  };
  EXPECT_GT(length(255), 50 * length(128));
  transforms.shuffle = {bytes::ShuffleMode::kReverse};
  EXPECT_TRUE(numbers_of(config_of(prepare::FileFormat::kTiff, 48, transforms)).at(0).are_in_order);
}

}  // namespace
}  // namespace byteformer::plan
