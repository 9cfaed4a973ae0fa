// Positions against PyTorch's float32 values and the formula.
#include "nn/positions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "base/file_io.hpp"
#include "kernels/kernels.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"

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

TEST(Positions, ARowDoesNotDependOnTheRowsAskedForWithIt) {
  constexpr std::size_t kHidden = 16, kCount = 200, kFirst = 70;
  const Positions positions = Positions::sinusoidal({}, 100, kHidden);
  std::vector<float> all(kCount * kHidden), one(kHidden);
  positions.rows(kFirst, kCount, all.data());
  for (std::size_t t = 0; t < kCount; ++t) {
    positions.rows(kFirst + t, 1, one.data());
    ASSERT_TRUE(std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(t * kHidden))) << t;
    for (std::size_t i = 0; i < kHidden / 2; ++i) {
      const double angle = static_cast<double>(kFirst + t) * static_cast<double>(positions.frequencies()[i]);
      ASSERT_NEAR(one[i], std::sin(angle), kFirst + t < 100 ? 2e-5 : 6e-8);
      ASSERT_NEAR(one[kHidden / 2 + i], std::cos(angle), kFirst + t < 100 ? 2e-5 : 6e-8);
    }
  }
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

TEST(Positions, ReleasedRowsAreReadAgain) {
  constexpr std::size_t kTokens = 16384, kHidden = 16;  // 1 MiB
  std::vector<float> table(kTokens * kHidden);
  std::iota(table.begin(), table.end(), 0.0f);
  const test::TemporaryFolder folder;
  test::write_file(folder / "rows", {reinterpret_cast<const char*>(table.data()), table.size() * sizeof(float)});
  const base::MappedFile file(folder / "rows");
  const std::span mapped(reinterpret_cast<const float*>(file.bytes().data()), table.size());
  const Positions of_file = Positions::learned(mapped, kHidden, true);
  const Positions of_memory = Positions::learned(table, kHidden);  // releasing these would lose them
  for (const Positions* positions : {&of_file, &of_memory}) {
    const float* rows = positions->rows(0, kTokens, nullptr);
    ASSERT_TRUE(std::equal(table.begin(), table.end(), rows));
    positions->release(0, kTokens);
    EXPECT_TRUE(std::equal(table.begin(), table.end(), rows));
  }
}

}  // namespace
}  // namespace byteformer::nn
