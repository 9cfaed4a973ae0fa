// The windows of a whole file against those that the cutter makes of its rows as they flow.
#include "nn/window_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "nn/window_cutter.hpp"

namespace byteformer::nn {
namespace {

/// The rows of a window in their order, and the number of filler rows.
using Rows = std::pair<std::vector<std::int32_t>, std::size_t>;

std::multiset<Rows> cut(std::size_t size, std::size_t shift, Masking masking, std::size_t late, std::size_t num_rows) {
  WindowCutter cutter(size, shift, masking, late, 1);
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

TEST(WindowLayout, HasTheCuttersWindowsInTheCuttersOrder) {
  for (const Masking masking : {Masking::kMasked, Masking::kReleased})
    for (const std::size_t size : {1, 2, 5, 8})
      for (const std::size_t shift : {0, 1, 3, 5, 8, 13})
        for (std::size_t num_rows = 1; num_rows <= 27; ++num_rows) {
          const WindowLayout layout(size, shift, masking, num_rows);
          std::multiset<Rows> windows;
          for (std::size_t window = 0; window < layout.num_windows(); ++window) {
            Rows rows;
            rows.second = layout.append_rows(window, rows.first);
            for (const std::int32_t row : rows.first)
              ASSERT_EQ(layout.window_of(static_cast<std::size_t>(row)), window)
                  << "row " << row << " of " << num_rows << ", size " << size << ", shift " << shift;
            windows.insert(rows);
          }
          for (const std::size_t late : {0, 4}) {
            if (masking == Masking::kMasked && late > 0) continue;  // there nothing is late
            ASSERT_EQ(windows, cut(size, shift, masking, late, num_rows))
                << num_rows << " rows, size " << size << ", shift " << shift << ", late " << late;
          }
        }
}

}  // namespace
}  // namespace byteformer::nn
