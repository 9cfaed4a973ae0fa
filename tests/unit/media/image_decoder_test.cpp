// Every kind of picture in tests/data/pictures (made by make.sh there) decodes to the pixels that stand beside it.
#include <gtest/gtest.h>

#include <fstream>

#include "media/image.hpp"
#include "media/pictures.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::media {
namespace {

using test::Picture;

class PictureTest : public testing::TestWithParam<Picture> {};

TEST_P(PictureTest, DecodesToItsPixels) {
  const Image image = decode_image(GetParam().bytes(), GetParam().name);
  EXPECT_EQ(image.width, GetParam().width);
  EXPECT_EQ(image.height, GetParam().height);
  EXPECT_EQ(image.rgb, GetParam().rgb());
}

TEST_P(PictureTest, IsRecognized) {
  const std::string extension = GetParam().name.substr(GetParam().name.find('.') + 1);
  const std::string expected = extension == "jpg" ? "jpeg" : extension.ends_with("m") ? "pnm" : extension;
  EXPECT_EQ(image_kind(GetParam().bytes()), expected);
}

TEST_P(PictureTest, CutShortIsAnError) {
  const auto bytes = GetParam().bytes();
  const bool ends_with_pixels = GetParam().name.ends_with("m") || GetParam().name.ends_with("bmp");
  for (std::size_t size = 0; size < bytes.size(); size = size < 64 ? size + 1 : size + 7) {
    const std::vector<std::uint8_t> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    try {
      const Image image = decode_image(shorter, "cut");
      // What a container keeps behind the pixels may be missing: a TIFF's or GIF's later parts, padding, a line's end.
      EXPECT_EQ(image.rgb, GetParam().rgb()) << size << " of " << bytes.size() << " bytes";
      if (ends_with_pixels) {
        EXPECT_GE(size + 4, bytes.size());
      }
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("cut: ")) << error.what();
    }
  }
}

TEST_P(PictureTest, BeyondTheLimitIsAnError) {
  test::expect_error(ErrorCode::kInvalidFormat, {"big", "13", "9", "at most 116"},
                     [&] { decode_image(GetParam().bytes(), "big", 13 * 9 - 1); });
}

INSTANTIATE_TEST_SUITE_P(Files, PictureTest, testing::ValuesIn(test::pictures()),
                         [](const auto& picture) { return test::test_name(picture.param.name); });

TEST(ImageDecoder, EndOfFileMattersWhereTheFormatHasOne) {
  for (const char* name : {"baseline.jpg", "progressive.jpg", "rgb.png", "lossy.webp"}) {
    auto bytes = test::read_bytes(test::data_path(std::string("pictures/") + name));
    bytes.pop_back();
    EXPECT_THROW(decode_image(bytes, name), Error) << name;
  }
}

TEST(ImageDecoder, NamesWhatItRefuses) {
  const auto decode = [](std::string_view text) {
    return decode_image({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "x/y.bin");
  };
  test::expect_error(ErrorCode::kUnsupported, {"x/y.bin", "JPEG, PNG, TIFF"}, [&] { decode(""); });
  test::expect_error(ErrorCode::kUnsupported, {"x/y.bin"},
                     [&] { decode("BM is how many texts begin, and this one too"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x/y.bin", "PNM", "16384 x 16385"},
                     [&] { decode("P6 16384 16385 255\n"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x/y.bin", "PNM", "ends too early"},
                     [&] { decode("P6 16384 16384 255\nabc"); });
  test::expect_error(ErrorCode::kInvalidFormat, {"x/y.bin", "PNM", "no pixels"}, [&] { decode("P6 0 5 255\n"); });
}

TEST(ImageDecoder, AJpegOfCountlessScansIsRefused) {
  std::string bytes = test::read_file(test::data_path("pictures/progressive.jpg"));
  const std::size_t begin = bytes.find("\xFF\xDA");
  std::size_t end = begin + 2;  // the next marker that is no stuffing
  while (bytes[end] != '\xFF' || bytes[end + 1] == '\0') ++end;
  const std::string first_scan = bytes.substr(begin, end - begin);
  for (int i = 0; i < 300; ++i) bytes.insert(end, first_scan);
  const std::span file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  test::expect_error(ErrorCode::kInvalidFormat, {"x.jpg", "more than 200 scans"}, [&] { decode_image(file, "x.jpg"); });
}

TEST(ImageDecoder, OwnEncodingsComeBack) {
  const Image image{13, 9, test::read_bytes(test::data_path("pictures/rgb.rgb"))};
  EXPECT_EQ(decode_image(encode_png(image), "png"), image);
  EXPECT_EQ(decode_image(encode_tiff(image), "tiff"), image);
  const Image jpeg = decode_image(encode_jpeg(image, 100), "jpeg");
  EXPECT_EQ(jpeg.width, image.width);
  EXPECT_EQ(jpeg.height, image.height);
}

TEST(ImageEncoder, RefusesWhatCannotBe) {
  const Image image{13, 9, test::read_bytes(test::data_path("pictures/rgb.rgb"))};
  for (const int quality : {0, 101, -5})
    test::expect_error(ErrorCode::kInvalidArgument, {"quality", std::to_string(quality)},
                       [&] { encode_jpeg(image, quality); });
  for (const Image& bad : {Image{}, Image{0, 5, {}}, Image{2, 2, std::vector<std::uint8_t>(11)}})
    for (const auto encode : {encode_fhwc, encode_fchw, encode_tiff, encode_png})
      test::expect_error(ErrorCode::kInvalidArgument, {"cannot encode", "bytes"}, [&] { encode(bad); });
  test::expect_error(ErrorCode::kInvalidArgument, {"cannot encode", "bytes"}, [&] { encode_jpeg({}, 60); });
  const Image wide{70'000, 1, std::vector<std::uint8_t>(210'000)};
  test::expect_error(ErrorCode::kInvalidArgument, {"JPEG", "65500"}, [&] { encode_jpeg(wide, 60); });
}

}  // namespace
}  // namespace byteformer::media
