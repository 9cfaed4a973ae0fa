// Pictures through the mask of a camera that forms no image.
#include <gtest/gtest.h>

#include "prepare/preprocess.hpp"
#include "support/errors.hpp"

namespace byteformer::prepare {
namespace {

TEST(CameraTest, KeptBytesStayAndTheOthersAreBlack) {
  media::Image image{.width = 8, .height = 4, .rgb = std::vector<std::uint8_t>(96, 200)};
  const bytes::PositionMask mask{.keep_frac = 0.25};
  const SeenPicture seen = seen_through(mask, image);
  EXPECT_EQ(seen.num_kept, 24U);
  EXPECT_EQ(seen.image.width, 8);
  EXPECT_EQ(seen.image.height, 4);
  const std::vector<bool> is_kept = bytes::kept_positions(mask, 96);
  for (std::size_t i = 0; i < is_kept.size(); ++i) EXPECT_EQ(seen.image.rgb[i], is_kept[i] ? 200 : 0) << i;
}

TEST(CameraTest, AMaskOfAllBytesIsTheWholePicture) {
  const media::Image image{.width = 1, .height = 2, .rgb = {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(seen_through({.keep_frac = 1}, image).image, image);
  test::expect_error(ErrorCode::kEmptyFile, {"6 bytes"}, [&] { seen_through({.keep_frac = 0.1}, image); });
}

}  // namespace
}  // namespace byteformer::prepare
