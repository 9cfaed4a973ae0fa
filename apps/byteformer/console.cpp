// Complaints in one piece, and a bar that is drawn over itself, at most some times per second.
#include "console.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr std::size_t kProgressColumns = 30;
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

void complain(Console& console, std::string_view message, std::string_view command) {
  const std::string line = base::joined("byteformer", command.empty() ? "" : " ", command, ": ", message, "\n");
  console.err << base::printable(line, "\n") << std::flush;  // in one piece: other processes write there, too
}

void complain(Console& console, const Error& error) { complain(console, error.what()); }

ProgressBar::ProgressBar(Console& console, std::optional<std::size_t> total, bool enabled, std::string step)
    : console_(console), total_(total), enabled_(enabled && console.err_is_terminal), step_(std::move(step)) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::show(std::size_t num_done) {
  const Clock::time_point now = Clock::now();
  if (!enabled_ || now < next_) return;
  next_ = now + kInterval;
  is_visible_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(num_done) / seconds;
  std::string text = counted(num_done, step_);
  if (total_ && *total_ > 0) {
    const double fraction = static_cast<double>(num_done) / static_cast<double>(*total_);
    text = fmt::format("{} {:3.0f} %  {} of {}",
                       pad_right(bar(fraction, kProgressColumns, console_.has_unicode), kProgressColumns),
                       100 * fraction, grouped(num_done), counted(*total_, step_));
    if (rate > 0)
      text += fmt::format(", {:.0f} s left", static_cast<double>(*total_ - std::min(num_done, *total_)) / rate);
  }
  console_.err << kClearLine << text << fmt::format(", {:.1f} {}s/s", rate, step_) << std::flush;
}

void ProgressBar::clear() {
  if (is_visible_) console_.err << kClearLine << std::flush;
  is_visible_ = false;
}

}  // namespace byteformer::cli
