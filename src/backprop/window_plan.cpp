// Implementation of window_plan.hpp.
#include "backprop/window_plan.hpp"

#include <algorithm>

namespace byteformer::backprop {
namespace {

class Cutter {
 public:
  explicit Cutter(WindowPlan& plan) : plan_(plan) {}

  /// Rows [begin, end) of the file that starts at row `base` join the open window.
  void take(std::int64_t base, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) plan_.rows.push_back(static_cast<std::int32_t>(base + row));
  }

  void close(std::int64_t num_filler) {
    const std::size_t num_rows = plan_.rows.size() - open_;
    if (num_rows == 0) return;
    plan_.windows.push_back({open_, num_rows, static_cast<std::size_t>(num_filler)});
    plan_.largest_window = std::max(plan_.largest_window, num_rows);
    plan_.has_filler |= num_filler > 0;
    open_ = plan_.rows.size();
  }

 private:
  WindowPlan& plan_;
  std::size_t open_ = 0;  // first place of the open window
};

void cut_masked(Cutter& cutter, std::int64_t base, std::int64_t num_rows, std::int64_t window, std::int64_t first_cut) {
  for (std::int64_t begin = 0, end = first_cut; begin < num_rows; begin = end, end += window) {
    cutter.take(base, begin, std::min(end, num_rows));
    cutter.close(0);
  }
}

void cut_released(Cutter& cutter, std::int64_t base, std::int64_t num_rows, std::int64_t window,
                  std::int64_t first_cut) {
  const std::int64_t padded_rows = (num_rows + window - 1) / window * window;
  for (std::int64_t begin = first_cut; begin < padded_rows + first_cut; begin += window) {
    const std::int64_t wrapped = std::max<std::int64_t>(begin + window - padded_rows, 0);  // rows from the file's start
    const std::int64_t end = std::min(begin + window, padded_rows);
    const std::int64_t last = std::clamp(num_rows, begin, end);
    cutter.take(base, begin, last);
    cutter.take(base, 0, std::min(wrapped, num_rows));
    cutter.close(end - last + wrapped - std::min(wrapped, num_rows));
  }
}

void group(WindowPlan& plan) {
  // Few rows make small groups, so that there is something to do for every thread.
  const std::size_t most_rows = std::clamp(plan.rows.size() / 8, WindowPlan::kFewestGroupRows, WindowPlan::kGroupRows);
  for (std::size_t i = 0; i < plan.windows.size(); ++i) {
    const PlannedWindow& window = plan.windows[i];
    if (plan.groups.empty() || plan.groups.back().num_rows + window.num_rows > most_rows)
      plan.groups.push_back({i, i, window.begin, 0});
    WindowGroup& open = plan.groups.back();
    open.last_window = i + 1;
    open.num_rows += window.num_rows;
    plan.largest_group = std::max(plan.largest_group, open.num_rows);
  }
}

}  // namespace

WindowPlan cut_windows(std::span<const std::int64_t> file_rows, std::int64_t window_size, std::int64_t shift,
                       Masking masking) {
  WindowPlan plan;
  Cutter cutter(plan);
  const std::int64_t first_cut = shift % window_size;
  std::int64_t base = 0;
  for (const std::int64_t num_rows : file_rows) {
    const auto cut = masking == Masking::kMasked ? cut_masked : cut_released;
    cut(cutter, base, num_rows, window_size, first_cut);
    base += num_rows;
  }
  group(plan);
  return plan;
}

}  // namespace byteformer::backprop
