// Takes the windows of each file of a batch from their geometry, and groups them for the threads.
#include "backprop/window_plan.hpp"

#include <algorithm>
#include <numeric>

#include "base/check.hpp"

namespace byteformer::backprop {
namespace {

void group(WindowPlan& plan) {
  // Few rows make small groups, so that there is something to do for every thread.
  BF_DCHECK(plan.windows.empty() || plan.windows.back().begin + plan.windows.back().num_rows == plan.rows.size());
  const std::size_t most_rows = std::clamp(plan.rows.size() / 8, WindowPlan::kFewestGroupRows, WindowPlan::kGroupRows);
  for (std::size_t i = 0; i < plan.windows.size(); ++i) {
    const nn::Window& window = plan.windows[i];
    if (plan.groups.empty() || plan.groups.back().num_rows + window.num_rows > most_rows)
      plan.groups.push_back({i, i, window.begin, 0});
    WindowGroup& open = plan.groups.back();
    open.last_window = i + 1;
    open.num_rows += window.num_rows;
    plan.largest_group = std::max(plan.largest_group, open.num_rows);
  }
}

/// Calls visit(rows, base) for each window of each file; row 0 of the file is row `base` of the batch.
template <typename Visit>
void for_each_window(std::span<const std::int64_t> file_rows, const nn::WindowGeometry& geometry, const Visit& visit) {
  std::size_t base = 0;
  for (const std::int64_t file : file_rows) {
    BF_DCHECK_LT(0, file);
    const auto num_rows = static_cast<std::size_t>(file);
    for (std::size_t i = 0; i < geometry.num_windows(num_rows); ++i) visit(geometry.window(i, num_rows), base);
    base += num_rows;
  }
}

}  // namespace

WindowPlan cut_windows(std::span<const std::int64_t> file_rows, const nn::WindowGeometry& geometry) {
  WindowPlan plan;
  for_each_window(file_rows, geometry, [&](const nn::WindowRows& rows, std::size_t base) {
    BF_DCHECK_LE(base, plan.rows.size());
    plan.windows.push_back({plan.rows.size(), rows.num_rows(), rows.num_filler});
    rows.append_to(plan.rows, base);
    plan.largest_window = std::max(plan.largest_window, rows.num_rows());
    plan.has_filler |= rows.num_filler > 0;
  });
  BF_DCHECK_EQ(plan.rows.size(),
               std::accumulate(file_rows.begin(), file_rows.end(), std::int64_t{0}));  // each row is in one window
  group(plan);
  return plan;
}

MergePlan pair_rows(std::span<const std::int64_t> file_rows) {
  constexpr nn::WindowGeometry kPairs = nn::WindowGeometry::pairs();
  MergePlan plan;
  for_each_window(file_rows, kPairs, [&](const nn::WindowRows& pair, std::size_t base) {
    pair.append_to(plan.pairs, base);
    plan.pairs.insert(plan.pairs.end(), pair.num_filler, -1);
  });
  for (const std::int64_t rows : file_rows)
    plan.merged_rows.push_back(static_cast<std::int64_t>(kPairs.num_windows(static_cast<std::size_t>(rows))));
  return plan;
}

}  // namespace byteformer::backprop
