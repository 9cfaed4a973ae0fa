// The windows that the cutter makes of a stream against those that rolling and padding the whole file gives.
#include "nn/window_cutter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/effort.hpp"

namespace byteformer::nn {
namespace {

/// A window as the set of the file's rows in it and the number of filler rows.
using RowSet = std::pair<std::multiset<std::size_t>, std::size_t>;

std::multiset<RowSet> rolled_windows(std::size_t n, std::size_t size, std::size_t shift) {
  const std::size_t padded = (n + size - 1) / size * size;
  std::multiset<RowSet> windows;
  for (std::size_t start = 0; start < padded; start += size) {
    RowSet window;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t row = (start + i + shift) % padded;
      if (row < n)
        window.first.insert(row);
      else
        ++window.second;
    }
    windows.insert(window);
  }
  return windows;
}

std::multiset<RowSet> cut_windows(std::size_t n, std::size_t size, std::size_t shift) {
  const std::size_t d = shift % size;
  std::multiset<RowSet> windows;
  for (std::size_t begin = 0; begin < n;) {
    const std::size_t end = std::min(n, begin == 0 && d > 0 ? d : begin + size);
    RowSet window;
    for (std::size_t row = begin; row < end; ++row) window.first.insert(row);
    windows.insert(window);
    begin = end;
  }
  return windows;
}

/// Feeds a file whose rows carry their own number, its first min(late, n) rows last, in random pieces.
class Feeder {
 public:
  Feeder(WindowCutter& cutter, std::size_t late, std::mt19937& random)
      : cutter_(cutter), late_(late), random_(random) {}

  void feed(std::size_t n) {
    const std::size_t late = std::min(late_, n);
    std::size_t next = late;
    do {
      const std::size_t count = std::min<std::size_t>(n - next, random_() % 9);
      PackedRows in(1);
      for (std::size_t i = 0; i < count; ++i) in.append(1)[0] = static_cast<float>(next + i);
      next += count;
      Segment segment{count, 0, next == n && random_() % 2 == 0};
      if (segment.ends) {
        for (std::size_t i = 0; i < late; ++i) in.append(1)[0] = static_cast<float>(i);
        segment.num_late = late;
      }
      in.segments.push_back(segment);
      cutter_.push(in, pool_);
      if (random_() % 3 == 0) collect();
      if (segment.ends) break;
    } while (true);
    collect();
  }

  std::multiset<RowSet> windows;
  std::vector<std::size_t> emitted;  // row numbers in the order in which they left
  std::size_t num_late_out = 0;

 private:
  void collect() {
    for (const Window& window : cutter_.windows()) {
      RowSet rows;
      for (std::size_t i = 0; i < window.num_rows; ++i) {
        const auto index = static_cast<std::size_t>(cutter_.order()[window.begin + i]);
        rows.first.insert(static_cast<std::size_t>(cutter_.rows()[index * cutter_.row_size()]));
      }
      rows.second = window.num_filler;
      windows.insert(rows);
    }
    PackedRows out(1);
    cutter_.emit_rows(out, pool_);
    for (std::size_t r = 0; r < out.num_rows; ++r) emitted.push_back(static_cast<std::size_t>(out.buffer.row(r)[0]));
    for (const Segment& segment : out.segments) num_late_out += segment.num_late;
  }

  WindowCutter& cutter_;
  base::ThreadPool pool_{1};
  std::size_t late_;
  std::mt19937& random_;
};

TEST(WindowCutter, StreamGivesTheWindowsOfTheWholeFile) {
  std::mt19937 random(3);
  for (int trial = 0; trial < test::effort(20'000); ++trial) {
    const std::size_t size = 1 + random() % 12, shift = random() % 40, n = 1 + random() % 60;
    const bool masked = random() % 2 == 0;
    const std::size_t late_in = masked ? 0 : random() % 20;
    const auto masking = masked ? Masking::kMasked : Masking::kReleased;
    const WindowGeometry geometry(static_cast<std::int64_t>(size), static_cast<std::int64_t>(shift), masking);
    WindowCutter cutter(geometry, late_in, 1);
    Feeder feeder(cutter, late_in, random);
    feeder.feed(n);
    ASSERT_EQ(feeder.windows, masked ? cut_windows(n, size, shift) : rolled_windows(n, size, shift))
        << "size " << size << " shift " << shift << " rows " << n << " late " << late_in << " masked " << masked;
    ASSERT_EQ(feeder.num_late_out, std::min(n, cutter.num_late()));
    std::vector<std::size_t> expected;
    for (std::size_t row = feeder.num_late_out; row < n; ++row) expected.push_back(row);
    for (std::size_t row = 0; row < feeder.num_late_out; ++row) expected.push_back(row);
    ASSERT_EQ(feeder.emitted, expected);
  }
}

TEST(WindowCutter, LateRowsOfTheDefaultPatternStayConstant) {
  std::vector<std::size_t> late_rows;
  std::size_t late = 0;
  for (int layer = 0; layer < 12; ++layer) {
    const WindowGeometry windows(128, layer % 2 == 0 ? 0 : 64, Masking::kReleased);
    late_rows.push_back(late = windows.num_late(late));
    if (layer == 0 || layer % 2 == 1) late = WindowGeometry::pairs().num_windows(late);
    if (layer == 11) break;
  }
  EXPECT_EQ(late_rows, (std::vector<std::size_t>{0, 64, 128, 192, 128, 192, 128, 192, 128, 192, 128, 192}));
}

TEST(WindowCutter, ClearForgetsTheOpenFile) {
  std::mt19937 random(4);
  WindowCutter cutter({4, 2, Masking::kReleased}, 0, 1);
  PackedRows in(1);
  in.append(7);
  in.segments.push_back({7, 0, false});
  base::ThreadPool pool(1);
  cutter.push(in, pool);
  cutter.clear();
  EXPECT_EQ(cutter.num_ready(), 0u);
  Feeder feeder(cutter, 0, random);
  feeder.feed(9);
  EXPECT_EQ(feeder.windows, rolled_windows(9, 4, 2));
}

}  // namespace
}  // namespace byteformer::nn
