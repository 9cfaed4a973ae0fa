// Pictures as people have them: what samples beyond three mean, kinds of numbers, tags that say nothing, headers of
// every size. Right values are those of Pillow, ImageMagick and libtiff's own tools, or follow from the format's words.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "base/bytes_io.hpp"
#include "media/decoding.hpp"
#include "media/image.hpp"
#include "media/pictures.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

using Values = std::vector<std::uint32_t>;

constexpr std::uint32_t kShort = 3;
constexpr std::uint32_t kBits = 258, kPhotometric = 262, kOrientation = 274, kSamples = 277, kPlanes = 284,
                        kColours = 320, kExtra = 338, kKind = 339;
constexpr std::uint32_t kWhiteIsZero = 0, kGrey = 1, kRgb = 2, kPalette = 3, kCmyk = 5, kCieLab = 8;
constexpr std::uint32_t kUnspecified = 0, kPremultiplied = 1, kStraight = 2;
constexpr std::uint32_t kPixelsOffset = 4096;
constexpr std::uint32_t kSigned = 2, kFloat = 3;

/// A TIFF of one row. \param tags their values, as shorts
FileBytes tiff(std::uint32_t width, std::map<std::uint32_t, Values> tags, const FileBytes& pixels) {
  tags[256] = {width};
  tags[257] = {1};
  tags[259] = {1};
  tags[278] = {1};
  // One strip, or one of a byte per plane, behind everything else.
  const std::size_t num_strips = tags.contains(kPlanes) ? pixels.size() : 1;
  tags[279] = Values(num_strips, static_cast<std::uint32_t>(pixels.size() / num_strips));
  for (std::uint32_t i = 0; i < num_strips; ++i) tags[273].push_back(kPixelsOffset + i);
  FileBytes file;
  base::append_text(file, "II");
  base::append_little_endian(file, 42, 2);
  base::append_little_endian(file, 8, 4);
  base::append_little_endian(file, tags.size(), 2);
  FileBytes behind;
  const std::size_t behind_offset = 8 + 2 + tags.size() * 12 + 4;
  for (const auto& [tag, values] : tags) {
    base::append_little_endian(file, tag, 2);
    base::append_little_endian(file, kShort, 2);
    base::append_little_endian(file, values.size(), 4);
    if (values.size() <= 2) {
      for (const std::uint32_t value : values) base::append_little_endian(file, value, 2);
      file.resize(file.size() + 4 - 2 * values.size());
    } else {
      base::append_little_endian(file, behind_offset + behind.size(), 4);
      for (const std::uint32_t value : values) base::append_little_endian(behind, value, 2);
    }
  }
  base::append_little_endian(file, 0, 4);
  file.insert(file.end(), behind.begin(), behind.end());
  file.resize(kPixelsOffset);
  file.insert(file.end(), pixels.begin(), pixels.end());
  return file;
}

void expect_pixels(const FileBytes& file, const std::vector<int>& expected) {
  const Image image = decode_image(file, "x");
  ASSERT_EQ(image.rgb.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(image.rgb[i], expected[i], 1) << i;
}

FileBytes numbers(const Values& values, std::size_t num_bytes) {
  FileBytes out;
  for (const std::uint32_t value : values) base::append_little_endian(out, value, num_bytes);
  return out;
}

TEST(OddTiff, OpacityOfGreyIsWhatTheFileSays) {
  const auto grey = [&](std::map<std::uint32_t, Values> tags) {
    tags.insert({{kBits, {8, 8}}, {kPhotometric, {kGrey}}, {kSamples, {2}}});
    return tiff(2, tags, {100, 51, 200, 255});
  };
  const std::vector<int> straight{224, 224, 224, 200, 200, 200}, opaque{100, 100, 100, 200, 200, 200};
  expect_pixels(grey({{kExtra, {kStraight}}}), straight);
  expect_pixels(grey({{kExtra, {kPremultiplied}}}), {255, 255, 255, 200, 200, 200});
  expect_pixels(grey({{kExtra, {kUnspecified}}}), opaque);
  expect_pixels(grey({}), opaque);
  expect_pixels(tiff(1, {{kBits, {16, 16}}, {kPhotometric, {kGrey}}, {kSamples, {2}}, {kExtra, {kStraight}}},
                     numbers({100 * 257, 51 * 257}, 2)),
                {224, 224, 224});
  expect_pixels(
      tiff(1, {{kBits, {8, 8}}, {kPhotometric, {kWhiteIsZero}}, {kSamples, {2}}, {kExtra, {kStraight}}}, {155, 51}),
      {224, 224, 224});
}

TEST(OddTiff, OpacityOfColoursIsWhatTheFileSays) {
  const auto rgb = [&](std::map<std::uint32_t, Values> tags, FileBytes pixels = {100, 0, 200, 51}) {
    tags.insert({{kBits, Values(pixels.size(), 8)},
                 {kPhotometric, {kRgb}},
                 {kSamples, {static_cast<std::uint32_t>(pixels.size())}}});
    return tiff(1, tags, pixels);
  };
  expect_pixels(rgb({{kExtra, {kStraight}}}), {224, 204, 244});
  expect_pixels(rgb({{kExtra, {kStraight}}, {kPlanes, {2}}}), {224, 204, 244});
  expect_pixels(rgb({{kExtra, {kPremultiplied}}}), {255, 204, 255});
  expect_pixels(rgb({{kExtra, {kUnspecified}}}), {100, 0, 200});
  expect_pixels(rgb({}), {100, 0, 200});
  // The first that is opacity counts, wherever it stands.
  expect_pixels(rgb({{kExtra, {kUnspecified, kStraight}}}, {100, 0, 200, 7, 51}), {224, 204, 244});
  expect_pixels(rgb({{kExtra, {kStraight, kStraight}}}, {100, 0, 200, 51, 0}), {224, 204, 244});
  expect_pixels(tiff(1, {{kBits, {8, 8, 8, 8, 8}}, {kPhotometric, {kCmyk}}, {kSamples, {5}}, {kExtra, {kStraight}}},
                     {55, 255, 0, 0, 51}),
                {244, 204, 255});
}

TEST(OddTiff, APaletteMayHaveOpacity) {
  Values colours(3 * 256, 0);
  colours[7] = 100 * 257;
  colours[256 + 7] = 200 * 257;
  const std::map<std::uint32_t, Values> tags{
      {kBits, {8, 8}}, {kPhotometric, {kPalette}}, {kSamples, {2}}, {kColours, colours}, {kExtra, {kStraight}}};
  expect_pixels(tiff(2, tags, {7, 255, 7, 51}), {100, 200, 0, 224, 244, 204});
}

TEST(OddTiff, SamplesOfEveryKind) {
  const auto grey = [&](std::uint32_t bits, std::uint32_t kind, const FileBytes& pixels, std::uint32_t width = 2) {
    return tiff(width, {{kBits, {bits}}, {kPhotometric, {kGrey}}, {kSamples, {1}}, {kKind, {kind}}}, pixels);
  };
  expect_pixels(grey(8, kSigned, {0x80, 0x7F}), {0, 0, 0, 255, 255, 255});
  expect_pixels(grey(16, kSigned, numbers({0, 0x7FFF}, 2)), {128, 128, 128, 255, 255, 255});
  expect_pixels(grey(32, 1, numbers({0, 0xFFFFFFFF}, 4)), {0, 0, 0, 255, 255, 255});
  expect_pixels(grey(12, 1, {0xFF, 0xF8, 0x00}), {255, 255, 255, 128, 128, 128});
  expect_pixels(grey(16, kFloat, numbers({0x3800, 0x3C00}, 2)), {128, 128, 128, 255, 255, 255});
  expect_pixels(grey(24, kFloat, numbers({0x3E0000, 0x3F0000}, 3)), {128, 128, 128, 255, 255, 255});
  expect_pixels(grey(32, kFloat, numbers({std::bit_cast<std::uint32_t>(0.25f), std::bit_cast<std::uint32_t>(7.0f)}, 4)),
                {64, 64, 64, 255, 255, 255});
  expect_pixels(grey(32, kFloat, numbers({std::bit_cast<std::uint32_t>(-1.0f), 0x7FC00000}, 4)), {0, 0, 0, 0, 0, 0});
  FileBytes doubles;
  base::append_little_endian(doubles, std::bit_cast<std::uint64_t>(0.5), 8);
  expect_pixels(grey(64, kFloat, doubles, 1), {128, 128, 128});
  test::expect_error(ErrorCode::kUnsupported, {"x", "64 bits per sample"},
                     [&] { decode_image(grey(64, 1, doubles, 1), "x"); });
}

TEST(OddTiff, CieLabIsShownAsSrgb) {
  const auto lab = [](const FileBytes& pixels) {
    return tiff(static_cast<std::uint32_t>(pixels.size() / 3),
                {{kBits, {8, 8, 8}}, {kPhotometric, {kCieLab}}, {kSamples, {3}}}, pixels);
  };
  const Image image = decode_image(lab({0, 0, 0, 255, 0, 0, 136, 80, 67}), "x");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(image.rgb[i], 2) << "black";
  for (std::size_t i = 3; i < 6; ++i) EXPECT_GE(image.rgb[i], 250) << "white";
  EXPECT_GT(image.rgb[6], 230) << "red";
  EXPECT_LT(image.rgb[7], 60);
}

TEST(OddTiff, AnOrientationThatIsNoneTurnsNothing) {
  for (const std::uint32_t orientation : {0U, 9U, 65535U})
    expect_pixels(
        tiff(2, {{kBits, {8}}, {kPhotometric, {kGrey}}, {kSamples, {1}}, {kOrientation, {orientation}}}, {10, 20}),
        {10, 10, 10, 20, 20, 20});
}

TEST(OddTiff, OtherTagsThatFailAreNoVerdictOnPixels) {
  for (const std::uint32_t tag : {34377U, 700U, 33723U, 34675U, 50000U, 65000U})
    expect_pixels(tiff(2, {{kBits, {8}}, {kPhotometric, {kGrey}}, {kSamples, {1}}, {tag, {}}}, {10, 20}),
                  {10, 10, 10, 20, 20, 20});
}

TEST(OddTiff, TheNumberOfBitsMayBeSaidTooOftenOrOnce) {
  const FileBytes pixels{1, 2, 3, 4, 5, 6};
  for (const Values& bits : {Values{8, 8, 8, 8}, Values{8}, Values{8, 8, 8}})
    expect_pixels(tiff(2, {{kBits, bits}, {kPhotometric, {kRgb}}, {kSamples, {3}}}, pixels), {1, 2, 3, 4, 5, 6});
}

TEST(OddTiff, PlanesWithoutAPlaceAreDamage) {
  FileBytes file = tiff(1, {{kBits, {8, 8, 8}}, {kPhotometric, {kRgb}}, {kSamples, {3}}, {kPlanes, {2}}}, {7, 8, 9});
  expect_pixels(file, {7, 8, 9});
  const std::string_view offsets("\x11\1\3\0\3\0\0\0", 8);  // three shorts
  const std::size_t entry = base::as_text(file).find(offsets);
  ASSERT_NE(entry, std::string_view::npos);
  file[entry + 4] = 1;
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "TIFF", "no place in the file"},
                     [&] { decode_image(file, "x"); });
}

TEST(OddTiff, SamplesThatAreMissingAreDamage) {
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "TIFF"}, [] {
    decode_image(tiff(1, {{kBits, {8, 8}}, {kPhotometric, {kRgb}}, {kSamples, {2}}}, {1, 2, 3, 4}), "x");
  });
}

struct Bmp {
  std::uint32_t header_bytes = 40, bits = 32, compression = 0;
  std::int32_t width = 2, height = 1;
  Values masks = {};  // red, green, blue, alpha
  FileBytes palette = {};
  bool has_offset = true;
};

FileBytes bmp(const Bmp& bmp, const FileBytes& pixels) {
  FileBytes header;
  base::append_little_endian(header, bmp.header_bytes, 4);
  const std::size_t side_bytes = bmp.header_bytes == 12 ? 2 : 4;
  base::append_little_endian(header, static_cast<std::uint32_t>(bmp.width), side_bytes);
  base::append_little_endian(header, static_cast<std::uint32_t>(bmp.height), side_bytes);
  base::append_little_endian(header, 1, 2);
  base::append_little_endian(header, bmp.bits, 2);
  base::append_little_endian(header, bmp.compression, 4);
  header.resize(std::max<std::size_t>(bmp.header_bytes, 40));
  for (std::size_t i = 0; i < bmp.masks.size(); ++i) {
    header.resize(std::max(header.size(), 40 + 4 * i + 4));
    for (std::size_t byte = 0; byte < 4; ++byte)
      header[40 + 4 * i + byte] = static_cast<std::uint8_t>(bmp.masks[i] >> (8 * byte));
  }
  if (bmp.header_bytes < 40) header.resize(bmp.header_bytes);
  header.insert(header.end(), bmp.palette.begin(), bmp.palette.end());
  FileBytes file;
  base::append_text(file, "BM");
  base::append_little_endian(file, 14 + header.size() + pixels.size(), 4);
  base::append_little_endian(file, 0, 4);
  base::append_little_endian(file, bmp.has_offset ? 14 + header.size() : 0, 4);
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), pixels.begin(), pixels.end());
  return file;
}

TEST(OddBmp, AFourthByteWithoutAMaskMeansNothing) {
  for (const std::uint32_t header_bytes : {40U, 52U, 56U, 64U, 108U, 124U})
    for (const std::uint8_t unused : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{255}})
      expect_pixels(bmp({.header_bytes = header_bytes}, {30, 20, 10, unused, 60, 50, 40, 0}), {10, 20, 30, 40, 50, 60});
  expect_pixels(bmp({.compression = 3, .masks = {0xFF0000, 0xFF00, 0xFF}}, {30, 20, 10, 1, 60, 50, 40, 0}),
                {10, 20, 30, 40, 50, 60});
}

TEST(OddBmp, OpacityIsWhereTheHeaderHasAMaskForIt) {
  const Values masks{0xFF0000, 0xFF00, 0xFF, 0xFF000000};
  const FileBytes pixels{200, 0, 100, 51, 60, 50, 40, 255};
  for (const std::uint32_t header_bytes : {56U, 108U, 124U})
    expect_pixels(bmp({.header_bytes = header_bytes, .compression = 3, .masks = masks}, pixels),
                  {224, 204, 244, 40, 50, 60});
  expect_pixels(bmp({.compression = 6, .masks = masks}, pixels), {224, 204, 244, 40, 50, 60});
}

TEST(OddBmp, MasksOfAnyWidth) {
  expect_pixels(bmp({.bits = 16, .compression = 3, .masks = {0xF800, 0x7E0, 0x1F}}, numbers({0xF800, 0x7FF}, 2)),
                {255, 0, 0, 0, 255, 255});
  expect_pixels(bmp({.bits = 16}, numbers({0x7C00, 0x83FF}, 2)), {255, 0, 0, 0, 255, 255});
  expect_pixels(bmp({.header_bytes = 56, .bits = 16, .compression = 3, .masks = {0xF00, 0xF0, 0xF, 0xF000}},
                    numbers({0xF80F, 0x080F}, 2)),
                {136, 0, 255, 255, 255, 255});
  expect_pixels(bmp({.compression = 3, .masks = {0x3FF00000, 0xFFC00, 0x3FF}}, numbers({0x3FF00000, 0x80200}, 4)),
                {255, 0, 0, 0, 128, 128});
}

TEST(OddBmp, HeadersOfEverySizeWithAPalette) {
  for (const std::uint32_t header_bytes : {12U, 16U, 40U, 52U, 56U, 64U, 108U, 124U})
    for (const std::uint32_t bits : {1U, 4U, 8U}) {
      SCOPED_TRACE(std::to_string(header_bytes) + " " + std::to_string(bits));
      FileBytes palette(header_bytes == 12 ? 6 : 8);
      palette[0] = 30, palette[1] = 20, palette[2] = 10;
      palette[palette.size() / 2] = 60, palette[palette.size() / 2 + 1] = 50, palette[palette.size() / 2 + 2] = 40;
      const FileBytes pixels =
          bits == 8 ? FileBytes{0, 1, 0, 0} : FileBytes{static_cast<std::uint8_t>(bits == 4 ? 1 : 0x40), 0, 0, 0};
      expect_pixels(bmp({.header_bytes = header_bytes, .bits = bits, .palette = palette}, pixels),
                    {10, 20, 30, 40, 50, 60});
    }
}

TEST(OddBmp, RowsFromTheTopAndAnOffsetThatIsOpen) {
  expect_pixels(bmp({.bits = 24, .width = 1, .height = -2}, {3, 2, 1, 0, 6, 5, 4, 0}), {1, 2, 3, 4, 5, 6});
  expect_pixels(bmp({.bits = 24, .width = 1, .height = 2}, {3, 2, 1, 0, 6, 5, 4, 0}), {4, 5, 6, 1, 2, 3});
  expect_pixels(bmp({.bits = 24, .width = 1, .has_offset = false}, {3, 2, 1, 0}), {1, 2, 3});
}

TEST(OddBmp, RunLengths) {
  FileBytes palette(4 * 16);
  for (std::uint8_t i = 0; i < 16; ++i)
    palette[4 * i] = palette[4 * i + 1] = palette[4 * i + 2] = static_cast<std::uint8_t>(10 * i);
  const auto grey = [](const std::vector<int>& values) {
    std::vector<int> rgb;
    for (const int value : values) rgb.insert(rgb.end(), 3, 10 * value);
    return rgb;
  };
  // A run, three pixels as they are, a step over two, the end of the row; then the end of the picture.
  expect_pixels(bmp({.bits = 8, .compression = 1, .width = 8, .height = 2, .palette = palette},
                    {2, 5, 0, 3, 1, 2, 3, 0, 0, 2, 2, 0, 1, 9, 0, 0, 8, 4, 0, 1}),
                grey({4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 1, 2, 3, 0, 0, 9}));
  expect_pixels(bmp({.bits = 4, .compression = 2, .width = 6, .palette = palette}, {3, 0x56, 0, 3, 0x12, 0x30, 0, 1}),
                grey({5, 6, 5, 1, 2, 3}));
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "BMP", "run lengths"}, [&] {
    decode_image(bmp({.bits = 8, .compression = 1, .palette = palette}, {1, 5}), "x");
  });
}

TEST(OddBmp, WhatIsNoneIsRefused) {
  test::expect_error(ErrorCode::kUnsupported, {"x", "compression 4"},
                     [] { decode_image(bmp({.compression = 4}, FileBytes(8)), "x"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "17 bits"},
                     [] { decode_image(bmp({.bits = 17}, FileBytes(8)), "x"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "compression 3", "24 bits"},
                     [] { decode_image(bmp({.bits = 24, .compression = 3}, FileBytes(20)), "x"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x", "ends too early"},
                     [] { decode_image(bmp({}, FileBytes(7)), "x"); });
}

TEST(OddGif, TheScreenIsAtLeastTheFirstFrame) {
  const FileBytes whole = test::read_bytes(test::data_path("pictures/plain.gif"));
  const Image expected = decode_image(whole, "x");
  for (const int side : {0, 1, 5}) {
    FileBytes file = whole;
    file[6] = file[8] = static_cast<std::uint8_t>(side);
    EXPECT_EQ(decode_image(file, "x"), expected) << side;
  }
}

TEST(OddJpeg, TheFirstOfTwoExifBlocksCounts) {
  const FileBytes jpeg = test::read_bytes(test::data_path("pictures/baseline.jpg"));
  const auto with_blocks = [&](std::initializer_list<int> orientations) {
    FileBytes blocks;
    for (const int orientation : orientations) {
      base::append_big_endian(blocks, 0xFFE1, 2);
      base::append_big_endian(blocks, 2 + 6 + 8 + 2 + 12 + 4, 2);
      base::append_text(blocks, {"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1", 24});
      base::append_big_endian(blocks, static_cast<std::uint64_t>(orientation), 2);
      base::append_big_endian(blocks, 0, 6);
    }
    FileBytes file = jpeg;
    file.insert(file.begin() + 2, blocks.begin(), blocks.end());
    return file;
  };
  const Image plain = decode_image(jpeg, "x"), turned = upright(plain, 6);
  EXPECT_EQ(decode_image(with_blocks({6, 1}), "x"), turned);
  EXPECT_EQ(decode_image(with_blocks({1, 6}), "x"), plain);
  EXPECT_EQ(decode_image(with_blocks({0, 6}), "x"), plain);
}

}  // namespace
}  // namespace byteformer::media
