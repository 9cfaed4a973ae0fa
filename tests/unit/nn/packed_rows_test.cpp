// Copies of rows, on one thread and on several.
#include "nn/packed_rows.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace byteformer::nn {
namespace {

TEST(PackedRowsTest, CopiesEveryFloatWhateverTheThreads) {
  for (const int num_threads : {1, 2, 3}) {
    base::ThreadPool pool(num_threads);
    for (const std::size_t size : {0, 1, 32'767, 32'768, 32'769, 100'000}) {
      std::vector<float> from(size), to(size + 1, -1.0f);
      std::iota(from.begin(), from.end(), 0.0f);
      copy_floats(from.data(), size, to.data(), pool);
      EXPECT_EQ(to.back(), -1.0f) << size << " floats, " << num_threads << " threads";
      to.pop_back();
      EXPECT_EQ(to, from) << size << " floats, " << num_threads << " threads";
    }
  }
}

TEST(PackedRowsTest, AppendsAfterWhatIsThere) {
  base::ThreadPool pool(2);
  PackedRows rows(16);
  const std::vector<float> first(16, 1.0f), others(16 * 3'000, 2.0f);
  rows.append_copy(first.data(), 1, pool);
  rows.append_copy(others.data(), 3'000, pool);
  ASSERT_EQ(rows.num_rows, 3'001u);
  EXPECT_EQ(rows.buffer.row(0)[15], 1.0f);
  for (std::size_t r = 1; r < rows.num_rows; ++r) ASSERT_EQ(rows.buffer.row(r)[r % 16], 2.0f) << r;
}

}  // namespace
}  // namespace byteformer::nn
