// How batches are cut into windows for training.
#include "backprop/window_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/random_model.hpp"

namespace byteformer::backprop {
namespace {

std::vector<std::vector<std::int32_t>> windows_of(const WindowPlan& plan) {
  std::vector<std::vector<std::int32_t>> windows;
  for (const nn::Window& w : plan.windows)
    windows.emplace_back(plan.rows.begin() + static_cast<std::ptrdiff_t>(w.begin),
                         plan.rows.begin() + static_cast<std::ptrdiff_t>(w.begin + w.num_rows));
  return windows;
}

using testing::ElementsAre;

TEST(WindowPlanTest, MaskedPiecesNeverCrossAFilesEnds) {
  const std::int64_t rows[] = {5, 3};
  const WindowPlan plan = cut_windows(rows, {4, 2, Masking::kMasked});
  EXPECT_THAT(windows_of(plan),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3, 4), ElementsAre(5, 6), ElementsAre(7)));
  EXPECT_FALSE(plan.has_filler);
}

TEST(WindowPlanTest, ReleasedWindowsWrapAroundAndCountFiller) {
  const std::int64_t rows[] = {5};
  const WindowPlan plan = cut_windows(rows, {4, 2, Masking::kReleased});
  EXPECT_THAT(windows_of(plan), ElementsAre(ElementsAre(2, 3, 4), ElementsAre(0, 1)));
  EXPECT_EQ(plan.windows[0].num_filler, 1U);
  EXPECT_EQ(plan.windows[1].num_filler, 2U);
}

TEST(WindowPlanTest, AFileShorterThanTheShiftIsOneWindow) {
  const std::int64_t rows[] = {1};
  const WindowPlan plan = cut_windows(rows, {128, 64, Masking::kReleased});
  EXPECT_THAT(windows_of(plan), ElementsAre(ElementsAre(0)));
  EXPECT_EQ(plan.windows[0].num_filler, 127U);
}

TEST(WindowPlanTest, EveryRowIsInExactlyOneWindowAndWindowsAreFull) {
  test::Random random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const Masking masking = trial % 2 == 0 ? Masking::kMasked : Masking::kReleased;
    const std::int64_t window = test::pick(random, 1, 40);
    std::vector<std::int64_t> files(static_cast<std::size_t>(test::pick(random, 1, 5)));
    std::int64_t total = 0;
    for (std::int64_t& rows : files) total += rows = test::pick(random, 1, 300);
    const WindowPlan plan = cut_windows(files, {window, test::pick(random, 0, 100), masking});
    std::vector<std::int32_t> rows = plan.rows;
    std::ranges::sort(rows);
    ASSERT_EQ(static_cast<std::int64_t>(rows.size()), total);
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], static_cast<std::int32_t>(i));
    for (const nn::Window& w : plan.windows) {
      ASSERT_GT(w.num_rows, 0U);
      if (masking == Masking::kReleased) {
        ASSERT_EQ(static_cast<std::int64_t>(w.num_rows + w.num_filler), window);
      }
    }
    std::size_t next = 0;
    for (const WindowGroup& group : plan.groups) {
      ASSERT_EQ(group.first_window, next);
      next = group.last_window;
    }
    ASSERT_EQ(next, plan.windows.size());
  }
}

}  // namespace
}  // namespace byteformer::backprop
