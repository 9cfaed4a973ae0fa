// Carries out task after task, and says how far it is.
#include "experiments/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "experiments/report.hpp"
#include "format/text.hpp"
#include "output/numbers.hpp"

namespace byteformer::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// "97.31 % of 10,000 files (test of mnist)"
std::string accuracy_text(const experiments::RunLog& log) {
  std::string text;
  for (const experiments::TestResult& test : log.tests)
    text += fmt::format("{}{:.2f} % of {} ({} of {})", text.empty() ? "" : ", ", 100 * test.top1,
                        counted(test.files, "file"), test.split, test.data);
  if (!log.rekeying) return text;
  return text + (log.rekeying->is_bit_identical ? ", logits bit for bit those of " : "; logits DIFFER from those of ") +
         log.rekeying->of;
}

bool is_left(const Task& task) { return task.state != RunState::kFinished; }

}  // namespace

int Session::run(const std::vector<Task>& tasks) {
  const auto total = static_cast<std::size_t>(std::ranges::count_if(tasks, is_left));
  std::size_t number = 0;
  int num_failed = 0;
  for (const Task& task : tasks) {
    if (!is_left(task)) continue;
    if (interrupted()) throw Interrupted{};
    say(fmt::format("[{}/{}] {}{}", number + 1, total, to_string(task.run), time_left(total - number)));
    num_failed += carry_out(task) ? 0 : 1;
    ++number;
  }
  return num_failed;
}

bool Session::carry_out(const Task& task) try {
  const auto start = Clock::now();
  const experiments::RunLog log = runner_.carry_out(task.run, console_);
  console_.out << fmt::format("{}: {}\n", to_string(task.run), accuracy_text(log)) << std::flush;
  seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  ++num_timed_;
  experiments::write_report(book_, places_);
  return true;
} catch (const std::exception& error) {  // of whatever kind: the others go on
  complain(console_, to_string(task.run) + ": " + error.what());
  return false;
}

/// By what the runs of this session took.
std::string Session::time_left(std::size_t num_left) const {
  if (num_timed_ == 0) return "";
  const double seconds = seconds_ / static_cast<double>(num_timed_) * static_cast<double>(num_left);
  return fmt::format(", about {} left for all", format::duration_text(seconds));
}

void Session::say(const std::string& line) const { console_.err << line + "\n" << std::flush; }

}  // namespace byteformer::cli
