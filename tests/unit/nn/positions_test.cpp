// Positions against PyTorch's float32 values and the formula.
#include "nn/positions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/kernels.hpp"

namespace byteformer::nn {
namespace {

TEST(Positions, FrequenciesHaveTheBitsOfPyTorch) {
  // torch.exp(torch.arange(24.) * -(math.log(10000) / 23)) where the C library's exp gives another last bit.
  constexpr std::pair<std::size_t, float> kPublished[] = {{1, 0.6700187921524048f},
                                                          {13, 0.005484417080879211f},
                                                          {15, 0.0024620932526886463f},
                                                          {18, 0.0007405686192214489f}};
  const Positions positions = Positions::sinusoidal({}, 1000, 48);
  std::vector<float> scratch(kernels::padded(48));
  for (const float t : {1.0f, 999.0f}) {
    const float* row = positions.rows(static_cast<std::uint64_t>(t), 1, scratch.data());
    for (const auto& [i, frequency] : kPublished) {
      EXPECT_EQ(row[i], std::sin(t * frequency));
      EXPECT_EQ(row[24 + i], std::cos(t * frequency));
    }
  }
}

TEST(Positions, BeyondTheBufferTheAngleIsDouble) {
  const Positions positions = Positions::sinusoidal({}, 100, 8);
  EXPECT_FALSE(positions.limit().has_value());
  std::vector<float> scratch(2 * kernels::padded(8));
  const std::uint64_t far = 3'000'000'000;
  const float* row = positions.rows(far, 2, scratch.data());
  EXPECT_EQ(row[0], static_cast<float>(std::sin(3e9)));
  EXPECT_EQ(row[kernels::padded(8) + 4], static_cast<float>(std::cos(3e9 + 1)));
  for (std::size_t c = 8; c < kernels::padded(8); ++c) EXPECT_EQ(row[c], 0.0f) << "padding";
}

TEST(Positions, LearnedRowsArePaddedAndLimited) {
  const std::vector<float> table = {1, 2, 3, 4, 5, 6};
  const Positions positions = Positions::learned(table, 3);
  EXPECT_EQ(positions.limit(), 2u);
  std::vector<float> scratch(kernels::padded(3));
  const float* row = positions.rows(1, 1, scratch.data());
  EXPECT_EQ(row[0], 4.0f);
  EXPECT_EQ(row[2], 6.0f);
  EXPECT_EQ(row[3], 0.0f);
}

}  // namespace
}  // namespace byteformer::nn
