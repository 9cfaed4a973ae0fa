// The windows of a whole file against those that the cutter makes of its rows as they flow.
#include "nn/geometry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "nn/window_cutter.hpp"

namespace byteformer::nn {
namespace {

/// The rows of a window in their order, and the number of filler rows.
using Rows = std::pair<std::vector<std::int32_t>, std::size_t>;

std::multiset<Rows> cut(const WindowGeometry& geometry, std::size_t late, std::size_t num_rows) {
  WindowCutter cutter(geometry, late, 1);
  const std::size_t num_late = std::min(late, num_rows);
  PackedRows in(1);
  for (std::size_t i = 0; i < num_rows; ++i) in.append(1)[0] = static_cast<float>((num_late + i) % num_rows);
  in.segments = {{num_rows - num_late, num_late, true}};
  base::ThreadPool pool(1);
  cutter.push(in, pool);
  std::multiset<Rows> windows;
  for (const Window& window : cutter.windows()) {
    Rows rows{{}, window.num_filler};
    for (std::size_t i = 0; i < window.num_rows; ++i) {
      const auto at = static_cast<std::size_t>(cutter.order()[window.begin + i]);
      rows.first.push_back(static_cast<std::int32_t>(cutter.rows()[at * cutter.row_size()]));
    }
    windows.insert(rows);
  }
  return windows;
}

TEST(WindowGeometry, HasTheCuttersWindowsInTheCuttersOrder) {
  for (const Masking masking : {Masking::kMasked, Masking::kReleased})
    for (const std::int64_t size : {1, 2, 5, 8})
      for (const std::int64_t shift : {0, 1, 3, 5, 8, 13})
        for (std::size_t num_rows = 1; num_rows <= 27; ++num_rows) {
          const WindowGeometry geometry(size, shift, masking);
          std::multiset<Rows> windows;
          for (std::size_t window = 0; window < geometry.num_windows(num_rows); ++window) {
            const WindowRows of_window = geometry.window(window, num_rows);
            Rows rows{{}, of_window.num_filler};
            of_window.append_to(rows.first);
            ASSERT_EQ(rows.first.size(), of_window.num_rows());
            ASSERT_GT(rows.first.size(), 0U);
            for (const std::int32_t row : rows.first)
              ASSERT_EQ(geometry.window_of(static_cast<std::size_t>(row), num_rows), window)
                  << "row " << row << " of " << num_rows << ", size " << size << ", shift " << shift;
            windows.insert(rows);
          }
          for (const std::size_t late : {0, 4}) {
            if (masking == Masking::kMasked && late > 0) continue;  // there nothing is late
            ASSERT_EQ(windows, cut(geometry, late, num_rows))
                << num_rows << " rows, size " << size << ", shift " << shift << ", late " << late;
          }
        }
}

TEST(TokenGeometry, FollowsBothMeanings) {
  constexpr TokenGeometry released(32, Masking::kReleased), masked(32, Masking::kMasked), bytes(0, Masking::kMasked);
  const auto tokens_of = [](const TokenGeometry& tokens, std::uint64_t num_bytes) {
    return tokens.num_tokens(num_bytes);
  };
  EXPECT_EQ(tokens_of(released, 1), 1U);   // extended to the kernel
  EXPECT_EQ(tokens_of(released, 47), 1U);  // trailing bytes fill no kernel
  EXPECT_EQ(tokens_of(released, 48), 2U);
  EXPECT_EQ(tokens_of(masked, 1), 1U);
  EXPECT_EQ(tokens_of(masked, 16), 1U);
  EXPECT_EQ(tokens_of(masked, 17), 2U);
  EXPECT_EQ(tokens_of(bytes, 77), 77U);
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 63;  // no sum overflows
  EXPECT_EQ(tokens_of(released, kLargest), kLargest / 16 - 1);
  EXPECT_EQ(tokens_of(masked, kLargest), kLargest / 16);
}

}  // namespace
}  // namespace byteformer::nn
