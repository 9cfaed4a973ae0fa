// Trains by a plan, alone or as a rank, shows how it goes, and writes what there is to tell.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "base/processors.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "format/json.hpp"
#include "plan/event_file.hpp"
#include "plan/report.hpp"
#include "preparation.hpp"
#include "runs.hpp"
#include "train/ranks.hpp"
#include "train/run_folder.hpp"
#include "train/runtime.hpp"
#include "train/trainer.hpp"
#include "train/world.hpp"

namespace byteformer::train_app {
namespace {

train::Runtime runtime_of(const plan::Request& request, train::Ranks& ranks) {
  const int processors = std::max(1, base::num_processors() / ranks.world().local_size);
  train::Runtime runtime;
  runtime.ranks = &ranks;
  runtime.num_threads = static_cast<int>(request.threads.value_or(processors));
  runtime.num_workers = static_cast<int>(request.workers.value_or(std::max(1, runtime.num_threads / 2)));
  runtime.checkpoint_interval_s = request.checkpoint_interval_s;
  return runtime;
}

/// What a person sees while a model trains, on standard error: a line that moves on a terminal, a line now and then
/// elsewhere.
class ProgressDisplay {
 public:
  ProgressDisplay(const plan::TrainingPlan& plan, bool is_quiet)
      : plan_(plan), is_quiet_(is_quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}

  void show(const train::StepReport& report) {
    ++num_seen_;
    smooth(smooth_loss_, report.loss);
    smooth(smooth_step_s_, report.seconds);
    const auto now = std::chrono::steady_clock::now();
    const auto pause = is_terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(30'000);
    if (is_quiet_ || now - last_ < pause) return;
    last_ = now;
    std::fprintf(stderr, is_terminal_ ? "\r\033[K%s" : "%s\n", line(report).c_str());
    std::fflush(stderr);
    is_shown_ = is_terminal_;
  }

  void show(const plan::ValidationResult& e) {
    const std::string top5 =
        data::shows_top5(plan_.config.labels.size()) ? fmt::format(", top-5 {:.2f} %", 100 * e.top5) : "";
    say(fmt::format("step {:6}  epoch {:5.1f}  loss {:.4f}  validation: loss {:.4f}, top-1 {:.2f} %{}  ({})", e.step,
                    epochs_at(e.step), e.train_loss, e.loss, 100 * e.top1, top5, base::duration_text(e.seconds)));
  }

  /// A line of its own.
  void say(const std::string& message) {
    clear();
    std::fprintf(stderr, "%s\n", message.c_str());
    std::fflush(stderr);
  }

  void clear() {
    if (is_shown_) std::fprintf(stderr, "\r\033[K");
    is_shown_ = false;
  }

 private:
  void smooth(double& value, double next) const {
    constexpr double kSmoothing = 0.05;
    value += std::max(kSmoothing, 1.0 / static_cast<double>(num_seen_)) * (next - value);
  }

  double epochs_at(std::int64_t step) const {
    return static_cast<double>(step) / static_cast<double>(plan_.schedule.steps_per_epoch);
  }

  std::string line(const train::StepReport& report) const {
    constexpr int kWidth = 20;
    const auto total = static_cast<double>(plan_.schedule.total_steps);
    const double share = static_cast<double>(report.step) / total;
    std::string bar;
    for (int i = 0; i < kWidth; ++i) bar += i < static_cast<int>(share * kWidth) ? "█" : "░";
    const double files_per_second = static_cast<double>(plan_.batch_size) / std::max(1e-9, smooth_step_s_);
    return fmt::format("{} {:3.0f} %  epoch {:.1f}/{:.1f}  loss {:.3f}  {:.0f} files/s  {} left", bar, 100 * share,
                       epochs_at(report.step), plan_.epochs(), smooth_loss_, files_per_second,
                       base::duration_text(smooth_step_s_ * (total - static_cast<double>(report.step))));
  }

  const plan::TrainingPlan& plan_;
  bool is_quiet_;
  bool is_terminal_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now() - std::chrono::hours(1);
  double smooth_loss_ = 0;
  double smooth_step_s_ = 0;
  std::int64_t num_seen_ = 0;
};

/// The same for programs, on standard output: a JSON object per line.
class ProgressLines {
 public:
  ProgressLines(const plan::TrainingPlan& plan, bool is_wanted) : plan_(plan), is_wanted_(is_wanted) {}

  /// Writes one line per second at most.
  void show(const train::StepReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    write("step", report.step,
          {{"loss", report.loss},
           {"learning_rate", report.learning_rate},
           {"files_per_second", static_cast<double>(report.samples) / report.seconds},
           {"seconds_left", report.seconds * static_cast<double>(plan_.schedule.total_steps - report.step)}});
  }

  void show(const plan::ValidationResult& e) const {
    write("validation", e.step,
          {{"loss", e.loss},
           {"top1", e.top1},
           {"top5", e.top5},
           {"train_loss", e.train_loss},
           {"learning_rate", e.learning_rate},
           {"seconds", e.seconds}});
  }

  /// \param top1 nothing where there are no validation files
  void show_end(const plan::Progress& progress, bool is_finished, std::optional<double> top1) const {
    write("end", progress.step,
          {{"is_finished", is_finished},
           {"best_step", progress.best_step},
           {"top1", top1 ? format::OrderedJson(*top1) : format::OrderedJson()},
           {"seconds", progress.seconds}});
  }

 private:
  void write(const char* event, std::int64_t step, const format::OrderedJson& numbers) const {
    if (!is_wanted_) return;
    format::OrderedJson line{{"event", event}, {"step", step}, {"total_steps", plan_.schedule.total_steps}};
    line["epoch"] = static_cast<double>(step) / static_cast<double>(plan_.schedule.steps_per_epoch);
    line.update(numbers);
    std::printf("%s\n", format::to_text(line).c_str());
    std::fflush(stdout);
  }

  const plan::TrainingPlan& plan_;
  bool is_wanted_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now() - std::chrono::hours(1);
};

/// Report and card; a full disk costs these, not the model.
void write_summary(const Prepared& prepared, const train::Outcome& outcome) {
  const plan::RunSummary summary{prepared.plan,
                                 prepared.data,
                                 outcome.progress.history,
                                 outcome.progress.failures,
                                 outcome.progress.best_step,
                                 outcome.progress.seconds,
                                 outcome.temperature,
                                 outcome.validation,
                                 outcome.validation_samples};
  base::write_file_atomically(prepared.output / "README.md", plan::model_card(summary));
  base::write_file_atomically(prepared.output / "training" / "report.html", plan::html_report(summary));
}

/// What ranks do besides the first: the same, and nobody sees it.
int follow(const Prepared& prepared, const train::RunFolder& folder, const train::Runtime& runtime) {
  train::TrainingEvents events;
  events.should_stop = cli::interrupted;
  return train::train(prepared.plan, prepared.data, folder, runtime, events).is_finished ? 0 : kExitInterrupted;
}

int train_prepared(const Prepared& prepared, const plan::Request& request, const train::Runtime& runtime) {
  train::RunFolder folder(prepared.output);
  cli::watch_for_interrupt({SIGINT, SIGTERM, SIGUSR1});  // stops after the step and saves
  if (!runtime.ranks->is_first()) return follow(prepared, folder, runtime);
  if (prepared.is_new) folder.create(prepared.plan);
  const base::Descriptor lock = folder.lock();
  ProgressDisplay display(prepared.plan, request.no_progress);
  ProgressLines lines(prepared.plan, request.json);
  std::optional<plan::EventFile> curves;
  train::TrainingEvents events;
  events.on_start = [&](std::int64_t step) { curves.emplace(folder.training_dir(), step); };
  events.on_step = [&](const train::StepReport& report) {
    display.show(report);
    lines.show(report);
    constexpr std::int64_t kEvery = 10;
    if (report.step % kEvery == 0)
      curves->add(report.step, {{"train/loss", report.loss},
                                {"train/learning_rate", report.learning_rate},
                                {"train/gradient_norm", report.gradient_norm},
                                {"train/files_per_second", static_cast<double>(report.samples) / report.seconds}});
  };
  events.on_evaluation = [&](const plan::ValidationResult& e) {
    if (prepared.data.validation.empty()) return;  // nothing was asked
    display.show(e);
    lines.show(e);
    curves->add(e.step, {{"validation/loss", e.loss}, {"validation/top1", e.top1}, {"validation/top5", e.top5}});
  };
  events.on_message = [&](const std::string& message) { display.say(message); };
  events.should_stop = cli::interrupted;
  const auto known = [&](double top1) {
    return prepared.data.validation.empty() ? std::nullopt : std::optional(top1);
  };
  const train::Outcome outcome = train::train(prepared.plan, prepared.data, folder, runtime, events);
  display.clear();
  if (!outcome.is_finished) {
    lines.show_end(outcome.progress, false, known(outcome.progress.best_top1));
    say(fmt::format("stopped after step {} of {}; everything is saved. Go on with: byteformer train {} {}",
                    outcome.progress.step, prepared.plan.schedule.total_steps,
                    plan::option_name(&plan::Request::resume), base::printable(prepared.output)));
    return kExitInterrupted;
  }
  if (outcome.is_out_of_time)
    say("the time is up before the plan's end: the machine was slower than when the run started. The best weights so "
        "far are kept");
  write_summary(prepared, outcome);
  const data::Metrics metrics = data::measure(outcome.validation, outcome.temperature);
  const std::string output = base::printable(prepared.output);
  if (request.json) {
    lines.show_end(outcome.progress, true, known(metrics.top1));
  } else {
    const std::string judgement =
        metrics.samples > 0 ? fmt::format("top-1 {:.2f} % on {} validation files", 100 * metrics.top1, metrics.samples)
                            : "no files were held out for validation";
    std::fputs(
        fmt::format("{}: {} (weights of step {})\n", output, judgement, outcome.progress.best_step).c_str(), stdout);
  }
  if (data::only_guesses(metrics)) say("warning: " + plan::guessing_text(prepared.plan));
  if (const std::size_t count = outcome.progress.failures.size(); count > 0)
    say(fmt::format("{} training files could not be used and were skipped; the report names them", count));
  say(fmt::format("report: {0}/training/report.html, model card: {0}/README.md", output));
  say(fmt::format("next: byteformer classify --model {} FILE...", output));
  if (!prepared.data.test.empty())
    say(fmt::format("the test files had no part in this: byteformer eval --model {} --data {}", output,
                    base::printable(prepared.plan.data)));
  return 0;
}

/// Ends with the launcher that started this process, even if that is killed.
void follow_launcher() {
  const char* launcher = std::getenv(train::kOwnLauncher);
  if (launcher == nullptr) return;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (std::to_string(::getppid()) != launcher)
    throw Error(ErrorCode::kIo, "the process that started this rank is gone");
}

int train_with(train::Ranks& ranks, const plan::Request& request) {
  ranks.join(rank_timeout_s(request));
  require_alike(request, ranks);
  const train::Runtime runtime = runtime_of(request, ranks);
  const Prepared prepared = prepare(request, runtime);
  const int status = train_prepared(prepared, request, runtime);
  ranks.leave();
  return status;
}

/// A run goes on with as many ranks and threads as it was asked for, unless others are given: sums of other parts have
/// other last bits.
plan::Request as_begun(plan::Request request) {
  const std::optional<std::string>& run = request.auto_resume ? request.output : request.resume;
  if (!run || !train::RunFolder(*run).holds_run()) return request;
  const plan::Request begun = train::RunFolder(*run).read_plan().asked;
  if (!request.threads) request.threads = begun.threads;
  if (!request.ranks) request.ranks = begun.ranks;
  return request;
}

int show_plan(train::Ranks& ranks, const plan::Request& request) {
  if (!ranks.is_first()) return 0;
  train::Ranks alone;
  const Prepared prepared = prepare(request, runtime_of(request, alone));
  if (request.json) std::fputs(plan::to_json(prepared.plan).c_str(), stdout);
  return 0;
}

}  // namespace

int train(const plan::Request& asked) {
  cli::watch_for_interrupt({SIGUSR1});  // batch systems send it once: what is being planned begins, and is saved
  follow_launcher();
  train::Ranks ranks(train::find_world(train::process_environment()));
  const plan::Request request = ranks.are_many() ? asked : as_begun(asked);
  if (request.dry_run) return show_plan(ranks, request);
  if (request.ranks.value_or(1) > 1 && std::getenv(train::kOwnLauncher) == nullptr) {
    if (!ranks.are_many()) return launch_ranks(request);
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} started {} ranks already; leave {} out", ranks.world().launcher, ranks.size(),
                            plan::option_name(&plan::Request::ranks)));
  }
  if (!ranks.are_many()) return train_with(ranks, request);
  try {
    return train_with(ranks, request);
  } catch (const std::exception& error) {
    Failure failure = failure_of(error);
    if (!ranks.is_first()) failure.message = ranks.name(ranks.rank()) + ": " + failure.message;
    if (ranks.claim_failure(failure.status)) complain("train", failure);
    ranks.abandon(failure.status);
  }
}

}  // namespace byteformer::train_app
