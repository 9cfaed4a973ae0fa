// Places against what encoders write and decoders read.
#include "media/places.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <random>
#include <set>

#include "media/image.hpp"
#include "media/sound.hpp"
#include "support/files.hpp"

namespace byteformer::media {
namespace {

Image noise(int width, int height, unsigned seed = 1) {
  std::mt19937 random(seed);
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height))};
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(random());
  return image;
}

/// The bytes of each block, one after another.
template <typename Places>
std::vector<FileBytes> blocks_of(const FileBytes& file, const Places& places, std::size_t num_blocks) {
  std::vector<FileBytes> blocks(num_blocks);
  for (const Part& part : places.parts)
    for (std::uint64_t i = part.bytes.begin; i < part.bytes.end; ++i) blocks.at(part.block).push_back(file.at(i));
  return blocks;
}

void expect_pixels(const Image& image, const FileBytes& file, const PicturePlaces& places) {
  EXPECT_EQ(places.width, image.width);
  EXPECT_EQ(places.height, image.height);
  const auto blocks = blocks_of(file, places, places.num_blocks());
  for (std::size_t pixel = 0; pixel < blocks.size(); ++pixel)
    ASSERT_EQ(blocks[pixel], FileBytes(image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * pixel),
                                       image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * pixel + 3)))
        << "pixel " << pixel;
}

TEST(Places, OfUncompressedPicturesHoldTheirPixels) {
  const Image image = noise(7, 5);
  expect_pixels(image, encode_fhwc(image), fhwc_places(7, 5));
  expect_pixels(image, encode_fchw(image), fchw_places(7, 5));
  const FileBytes tiff = encode_tiff(image);
  expect_pixels(image, tiff, tiff_places(tiff).value());
}

TEST(Places, OfATiffThatIsNotOursAreUnknown) {
  FileBytes tiff = encode_tiff(noise(4, 4));
  for (const std::size_t at : {std::size_t{0}, std::size_t{18}, std::size_t{46}}) {
    FileBytes other = tiff;
    ++other[at];
    EXPECT_FALSE(tiff_places(other)) << at;
  }
  tiff.pop_back();
  EXPECT_FALSE(tiff_places(tiff));
  EXPECT_FALSE(tiff_places({}));
}

/// All IDATs of `png`, inflated.
FileBytes inflated(const FileBytes& png, std::size_t num_bytes) {
  FileBytes stream;
  for (std::size_t at = 8; at < png.size();) {
    const std::size_t size = png[at] << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (png[at + 4] == 'I' && png[at + 5] == 'D')
      stream.insert(stream.end(), png.begin() + static_cast<std::ptrdiff_t>(at + 8),
                    png.begin() + static_cast<std::ptrdiff_t>(at + 8 + size));
    at += 12 + size;
  }
  FileBytes out(num_bytes);
  uLongf size = num_bytes;
  EXPECT_EQ(uncompress(out.data(), &size, stream.data(), stream.size()), Z_OK);
  return out;
}

TEST(Places, OfAStoredPngHoldWhatFiltersLeaveOfPixels) {
  const Image image = noise(150, 210);  // more than one IDAT and more than one stored block
  const FileBytes png = encode_png(image);
  const auto places = png_places(png);
  ASSERT_TRUE(places);
  const auto blocks = blocks_of(png, *places, places->num_blocks());
  const FileBytes rows = inflated(png, 210 * (1 + 3 * 150));
  for (std::size_t pixel = 0; pixel < blocks.size(); ++pixel) {
    const auto at = rows.begin() + static_cast<std::ptrdiff_t>(pixel / 150 * 451 + 1 + pixel % 150 * 3);
    ASSERT_EQ(blocks[pixel], FileBytes(at, at + 3)) << "pixel " << pixel;
  }
}

TEST(Places, OfACompressedPngAreUnknown) {
  EXPECT_FALSE(png_places(test::read_bytes(test::data_path("../../examples/data/handwritten_3.png"))));
  EXPECT_FALSE(png_places({}));
}

TEST(Places, OfAJpegFindTheRowsOfBlocks) {
  const Image image = noise(50, 70);
  const FileBytes file = encode_jpeg(image, 90);
  const auto places = jpeg_places(file);
  ASSERT_TRUE(places);
  EXPECT_EQ(places->block_width, 16);  // 4:2:0
  EXPECT_EQ(places->columns(), 4);
  EXPECT_EQ(places->rows(), 5);
  for (int row = 0; row < places->rows(); ++row) {
    // The same picture but for the first pixels of this row of blocks: the files part where the row begins.
    Image other = image;
    for (int x = 0; x < 48; ++x)
      other.rgb[static_cast<std::size_t>(row) * 16 * 150 + static_cast<std::size_t>(x)] ^= 0x80;
    const FileBytes other_file = encode_jpeg(other, 90);
    const auto parted = static_cast<std::uint64_t>(std::ranges::mismatch(file, other_file).in1 - file.begin());
    const auto part = std::ranges::find(places->parts, static_cast<std::uint32_t>(row * 4), &Part::block);
    ASSERT_NE(part, places->parts.end());
    constexpr std::uint64_t kReadAhead = 16, kBlockBytes = 60;
    EXPECT_LE(part->bytes.begin, parted + kReadAhead) << "row " << row;
    EXPECT_LE(parted, part->bytes.begin + kBlockBytes) << "row " << row;
  }
  const Part& last = places->parts.back();
  EXPECT_GE(last.bytes.end + 16, file.size());
  EXPECT_LE(last.bytes.end, file.size());
}

TEST(Places, OfADamagedJpegStayInTheFile) {
  const FileBytes whole = encode_jpeg(noise(64, 64), 80);
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    const FileBytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto places = jpeg_places(cut);
    if (!places) continue;
    for (const Part& part : places->parts) {
      ASSERT_LT(part.bytes.begin, part.bytes.end);
      ASSERT_LE(part.bytes.end, cut.size());
      ASSERT_LT(part.block, places->num_blocks());
    }
  }
}

TEST(Places, OfAWavHoldItsSamples) {
  Sound sound{8000, {}};
  for (int i = 0; i < 99; ++i) sound.samples.push_back(static_cast<float>(i) / 100);
  const std::pair<SampleFormat, std::size_t> formats[] = {
      {SampleFormat::kUint8, 1}, {SampleFormat::kInt16, 2}, {SampleFormat::kInt32, 4}, {SampleFormat::kFloat32, 4}};
  for (const auto& [format, sample_bytes] : formats) {
    const FileBytes file = encode_wav(sound, format);
    const auto places = wav_places(file);
    ASSERT_TRUE(places) << to_string(format);
    EXPECT_EQ(places->num_blocks, 99U);
    const auto blocks = blocks_of(file, *places, places->num_blocks);
    std::set<FileBytes> different(blocks.begin(), blocks.end());
    EXPECT_EQ(different.size(), 99U) << to_string(format);
    EXPECT_EQ(blocks[0].size(), sample_bytes);
    const std::size_t padding = file.size() % 2 == 0 && (99 * sample_bytes) % 2 == 1 ? 1 : 0;
    EXPECT_EQ(places->parts.back().bytes.end + padding, file.size());
  }
  EXPECT_FALSE(wav_places({}));
}

TEST(Places, OfAnMp3AreItsFrames) {
  Sound sound{16'000, std::vector<float>(16'000)};
  for (std::size_t i = 0; i < sound.samples.size(); ++i) sound.samples[i] = static_cast<float>(i % 40) / 80;
  const FileBytes file = encode_mp3(sound);
  const auto places = mp3_places(file);
  ASSERT_TRUE(places);
  EXPECT_EQ(places->samples_per_block, 576U);  // MPEG 2
  EXPECT_EQ(places->parts.front().bytes.begin, 0U);
  EXPECT_EQ(places->parts.back().bytes.end, file.size());
  const std::size_t num_samples = decode_sound(file, "x").samples.size();
  EXPECT_NEAR(static_cast<double>(places->num_blocks * 576), static_cast<double>(num_samples), 2 * 576);
  FileBytes tagged{'I', 'D', '3', 4, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5};
  tagged.insert(tagged.end(), file.begin(), file.end());
  EXPECT_EQ(mp3_places(tagged)->parts.front().bytes.begin, 15U);
  EXPECT_FALSE(mp3_places({}));
}

}  // namespace
}  // namespace byteformer::media
