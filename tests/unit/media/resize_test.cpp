// Resizing and cropping: sizes, edges and refusals. Bytes are in golden_test.cpp.
#include <gtest/gtest.h>

#include <array>

#include "media/image.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

Image plain(int width, int height, unsigned value = 200) {
  return {width, height,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3,
                                    static_cast<std::uint8_t>(value))};
}

TEST(Resize, KeepsAPlainColour) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 5}, {300, 7}, {7, 300}})
    for (const unsigned value : {0u, 1u, 127u, 255u})
      EXPECT_EQ(resized(plain(17, 23, value), width, height), plain(width, height, value));
}

TEST(Resize, ToTheSameSizeChangesNothing) {
  Image image = plain(5, 4);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i * 37);
  EXPECT_EQ(resized(image, 5, 4), image);
}

TEST(Resize, OvershootIsClipped) {
  const Image edge{4, 1, {0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255}};
  for (const auto value : resized(edge, 16, 1).rgb) EXPECT_TRUE(value <= 255);
  EXPECT_EQ(resized(edge, 16, 1).rgb.front(), 0);
  EXPECT_EQ(resized(edge, 16, 1).rgb.back(), 255);
}

TEST(Resize, LongerSideIsRoundedDown) {
  const Image wide = with_shorter_side(plain(451, 300), 256);
  EXPECT_EQ(wide.width, 384);
  EXPECT_EQ(wide.height, 256);
  const Image tall = with_shorter_side(plain(3, 5), 2);
  EXPECT_EQ(tall.width, 2);
  EXPECT_EQ(tall.height, 3);
}

TEST(Resize, RefusesWhatCannotBe) {
  test::expect_error(ErrorCode::kInvalidArgument, {"5 x 4", "0 x 3"}, [] { resized(plain(5, 4), 0, 3); });
  test::expect_error(ErrorCode::kInvalidArgument, {"0 x 0"}, [] { with_shorter_side(Image{}, 3); });
  test::expect_error(ErrorCode::kInvalidArgument, {"5 x 4"}, [] { with_shorter_side(plain(5, 4), -1); });
  test::expect_error(ErrorCode::kInvalidArgument, {"100000 x 1", "at most"},
                     [] { with_shorter_side(plain(100'000, 1), 256); });
}

TEST(Crop, TakesTheMiddle) {
  Image image = plain(5, 4);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i / 3);
  EXPECT_EQ(center_cropped(image, 2, "x").rgb, (std::vector<std::uint8_t>{6, 6, 6, 7, 7, 7, 11, 11, 11, 12, 12, 12}));
  EXPECT_EQ(cropped(image, 4, 3, 1, 1, "x").rgb, (std::vector<std::uint8_t>{19, 19, 19}));
  EXPECT_EQ(cropped(image, 0, 0, 5, 4, "x"), image);
}

TEST(Crop, OutsideOfThePictureIsAnErrorThatSaysWhich) {
  test::expect_error(ErrorCode::kInvalidArgument, {"a.png", "224 x 224", "300 x 200"},
                     [] { center_cropped(plain(300, 200), 224, "a.png"); });
  constexpr std::array<std::array<int, 4>, 7> kOutside{{{-1, 0, 2, 2},
                                                        {0, -1, 2, 2},
                                                        {4, 0, 2, 1},
                                                        {0, 3, 1, 2},
                                                        {0, 0, 0, 1},
                                                        {2147483647, 0, 1, 1},
                                                        {1, 1, 2147483647, 1}}};
  for (const auto& at : kOutside)
    test::expect_error(ErrorCode::kInvalidArgument, {"a.png", "5 x 4"},
                       [&] { cropped(plain(5, 4), at[0], at[1], at[2], at[3], "a.png"); });
}

}  // namespace
}  // namespace byteformer::media
