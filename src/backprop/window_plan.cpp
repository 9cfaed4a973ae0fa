// Takes the windows of each file of a batch from their geometry, and groups them for the threads.
#include "backprop/window_plan.hpp"

#include <algorithm>

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

}  // namespace

WindowPlan cut_windows(std::span<const std::int64_t> file_rows, const nn::WindowGeometry& geometry) {
  WindowPlan plan;
  std::size_t base = 0;
  for (const std::int64_t file : file_rows) {
    BF_DCHECK_LT(0, file);
    const auto num_rows = static_cast<std::size_t>(file);
    for (std::size_t i = 0; i < geometry.num_windows(num_rows); ++i) {
      const nn::WindowRows rows = geometry.window(i, num_rows);
      plan.windows.push_back({plan.rows.size(), rows.num_rows(), rows.num_filler});
      rows.append_to(plan.rows, base);
      plan.largest_window = std::max(plan.largest_window, rows.num_rows());
      plan.has_filler |= rows.num_filler > 0;
    }
    base += num_rows;
    BF_DCHECK_EQ(plan.rows.size(), base);  // each row is in one window
  }
  group(plan);
  return plan;
}

}  // namespace byteformer::backprop
