// The line that moves while steps are done.
#include "progress_display.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "data/metrics.hpp"

namespace byteformer::train_app {
namespace {

constexpr double kSmoothing = 0.05;

void smooth(double& value, double next, std::int64_t seen) {
  const double share = std::max(kSmoothing, 1.0 / static_cast<double>(seen));
  value += share * (next - value);
}

}  // namespace

ProgressDisplay::ProgressDisplay(const plan::TrainingPlan& plan, bool is_quiet)
    : plan_(plan), is_quiet_(is_quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}

std::string ProgressDisplay::line(const train::StepReport& report) const {
  const double epoch = static_cast<double>(report.step) / static_cast<double>(plan_.schedule.steps_per_epoch);
  const double share = static_cast<double>(report.step) / static_cast<double>(plan_.schedule.total_steps);
  const double left = smooth_step_s_ * static_cast<double>(plan_.schedule.total_steps - report.step);
  constexpr int kWidth = 20;
  const int full = static_cast<int>(share * kWidth);
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < full ? "█" : "░";
  return fmt::format("{} {:3.0f} %  epoch {:.1f}/{:.1f}  loss {:.3f}  {:.0f} files/s  {} left", bar, 100 * share, epoch,
                     plan_.epochs(), smooth_loss_, smooth_rate_, base::duration_text(left));
}

void ProgressDisplay::show(const train::StepReport& report) {
  ++seen_;
  smooth(smooth_loss_, report.loss, seen_);
  smooth(smooth_step_s_, report.seconds, seen_);
  smooth_rate_ = static_cast<double>(plan_.batch_size) / std::max(1e-9, smooth_step_s_);
  const auto now = std::chrono::steady_clock::now();
  const auto pause = is_terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(30'000);
  if (is_quiet_ || now - last_ < pause) return;
  last_ = now;
  if (is_terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line(report).c_str());
    is_shown_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line(report).c_str());
  }
  std::fflush(stderr);
}

void ProgressDisplay::show(const plan::ValidationResult& e) {
  const std::string top5 =
      data::shows_top5(plan_.config.labels.size()) ? fmt::format(", top-5 {:.2f} %", 100 * e.top5) : "";
  say(fmt::format("step {:6}  epoch {:5.1f}  loss {:.4f}  validation: loss {:.4f}, top-1 {:.2f} %{}  ({})", e.step,
                  static_cast<double>(e.step) / static_cast<double>(plan_.schedule.steps_per_epoch), e.train_loss,
                  e.loss, 100 * e.top1, top5, base::duration_text(e.seconds)));
}

void ProgressDisplay::say(const std::string& message) {
  clear();
  std::fprintf(stderr, "%s\n", message.c_str());
  std::fflush(stderr);
}

void ProgressDisplay::clear() {
  if (is_shown_) std::fprintf(stderr, "\r\033[K");
  is_shown_ = false;
}

void ProgressDisplay::finish() { clear(); }

}  // namespace byteformer::train_app
