// EXIF orientation in every container that has one. The orientation_N.tiff among the pictures test what each N means.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>

#include "media/decoding.hpp"
#include "media/image.hpp"
#include "support/files.hpp"

namespace byteformer::media {
namespace {

/// An EXIF block with one entry before the orientation, in either byte order.
std::string exif_block(int orientation, bool is_big_endian) {
  const auto number = [&](std::uint32_t value, std::size_t num_bytes) {
    std::string text = test::little_endian(value, num_bytes);
    if (is_big_endian) std::ranges::reverse(text);
    return text;
  };
  return (is_big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(2, 2) +  //
         number(256, 2) + number(4, 2) + number(1, 4) + number(13, 4) +                 // a width
         number(274, 2) + number(3, 2) + number(1, 4) + number(static_cast<unsigned>(orientation), 2) + number(0, 2) +
         number(0, 4);
}

Image stored_picture() { return {13, 9, test::read_bytes(test::data_path("pictures/rgb.rgb"))}; }

FileBytes with_insertion(FileBytes file, std::size_t offset, const std::string& text) {
  file.insert(file.begin() + static_cast<std::ptrdiff_t>(offset), text.begin(), text.end());
  return file;
}

std::string big_endian(std::uint32_t value, std::size_t num_bytes) {
  std::string text = test::little_endian(value, num_bytes);
  std::ranges::reverse(text);
  return text;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, test::as_octets(body).data(), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size()), 4) + body + big_endian(static_cast<std::uint32_t>(crc), 4);
}

TEST(Orientation, IsReadFromExif) {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool is_big_endian : {false, true}) {
      const std::string block = exif_block(orientation, is_big_endian);
      EXPECT_EQ(exif_orientation(test::as_octets(block)), orientation);
      EXPECT_EQ(exif_orientation(test::as_octets(std::string("Exif\0\0", 6) + block)), orientation);
    }
}

TEST(Orientation, IsOneWhereExifTellsNone) {
  EXPECT_EQ(exif_orientation({}), 1);
  for (const int nonsense : {0, 9, 65535}) EXPECT_EQ(exif_orientation(test::as_octets(exif_block(nonsense, true))), 1);
  const std::string block = exif_block(6, false);
  for (std::size_t size = 0; size + 4 < block.size(); ++size)
    EXPECT_EQ(exif_orientation(test::as_octets(block.substr(0, size))), 1) << size;
  EXPECT_EQ(exif_orientation(test::as_octets("II*" + std::string(1, '\0') + "\xFF\xFF\xFF\xFF" + block)), 1);
}

TEST(Orientation, OfTheFourCornersIsAsTheStandardSays) {
  // 2 x 1 pixels, a and b. The standard: where the stored row 0 and column 0 lie in the upright picture.
  const std::vector<std::uint8_t> ab{1, 1, 1, 2, 2, 2}, ba{2, 2, 2, 1, 1, 1};
  const Image stored{2, 1, ab};
  EXPECT_EQ(upright(stored, 1), stored);
  EXPECT_EQ(upright(stored, 2), (Image{2, 1, ba}));
  EXPECT_EQ(upright(stored, 3), (Image{2, 1, ba}));
  EXPECT_EQ(upright(stored, 4), (Image{2, 1, ab}));
  EXPECT_EQ(upright(stored, 5), (Image{1, 2, ab}));
  EXPECT_EQ(upright(stored, 6), (Image{1, 2, ab}));
  EXPECT_EQ(upright(stored, 7), (Image{1, 2, ba}));
  EXPECT_EQ(upright(stored, 8), (Image{1, 2, ba}));
}

class OrientationTest : public testing::TestWithParam<int> {};

TEST_P(OrientationTest, IsAppliedToJpeg) {
  const FileBytes plain = encode_jpeg(stored_picture(), 90);
  const std::string exif = std::string("Exif\0\0", 6) + exif_block(GetParam(), true);
  const auto turned =
      with_insertion(plain, 2, "\xFF\xE1" + big_endian(static_cast<std::uint32_t>(exif.size() + 2), 2) + exif);
  EXPECT_EQ(decode_image(turned, "x"), upright(decode_image(plain, "x"), GetParam()));
}

TEST_P(OrientationTest, IsAppliedToPngWhereverTheChunkStands) {
  const FileBytes plain = encode_png(stored_picture());
  const std::string chunk = png_chunk("eXIf", exif_block(GetParam(), false));
  const Image expected = upright(stored_picture(), GetParam());
  EXPECT_EQ(decode_image(with_insertion(plain, 33, chunk), "x"), expected);
  EXPECT_EQ(decode_image(with_insertion(plain, plain.size() - 12, chunk), "x"), expected);
}

TEST_P(OrientationTest, IsAppliedToWebp) {
  const std::string simple = test::read_file(test::data_path("pictures/lossy.webp"));
  const std::string exif = exif_block(GetParam(), true);
  const std::string body = std::string("WEBPVP8X") + test::little_endian(10, 4) + '\x08' + std::string(3, '\0') +
                           test::little_endian(12, 3) + test::little_endian(8, 3) + simple.substr(12) + "EXIF" +
                           test::little_endian(exif.size(), 4) + exif;
  const std::string file = "RIFF" + test::little_endian(body.size(), 4) + body;
  EXPECT_EQ(decode_image(test::as_octets(file), "x"), upright(decode_image(test::as_octets(simple), "x"), GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, OrientationTest, testing::Range(1, 9));

}  // namespace
}  // namespace byteformer::media
