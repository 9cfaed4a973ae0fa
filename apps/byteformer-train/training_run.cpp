// Finds or makes a plan, trains by it, and writes what there is to tell.
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
#include <thread>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "data/survey.hpp"
#include "format/json.hpp"
#include "format/model_folder.hpp"
#include "kernels/kernels.hpp"
#include "plan/event_file.hpp"
#include "plan/planner.hpp"
#include "plan/published_plan.hpp"
#include "plan/report.hpp"
#include "runs.hpp"
#include "train/ranks.hpp"
#include "train/run_folder.hpp"
#include "train/runtime.hpp"
#include "train/trainer.hpp"
#include "train/world.hpp"

namespace byteformer::train_app {
namespace {

train::Runtime runtime_of(const plan::Request& request, train::Ranks& ranks) {
  const int of_machine = static_cast<int>(std::thread::hardware_concurrency());
  const int processors = std::max(1, of_machine / ranks.world().local_size);
  train::Runtime runtime;
  runtime.ranks = &ranks;
  runtime.num_threads = static_cast<int>(request.threads.value_or(processors));
  runtime.num_workers = static_cast<int>(request.workers.value_or(std::max(1, runtime.num_threads / 2)));
  return runtime;
}

std::string data_text(const data::DataSet& data) {
  std::string names;
  for (std::size_t i = 0; i < data.classes.size() && i < 12; ++i) names += (i > 0 ? ", " : "") + data.classes[i];
  if (data.classes.size() > 12) names += ", ...";
  const std::string validation = data.has_own_validation ? "" : fmt::format(", split off by {}", data.split_by);
  return fmt::format("data: {} classes ({}); {} files to train on, {} for validation{}, {} for test",
                     data.classes.size(), names, data.train.size(), data.validation.size(), validation,
                     data.test.size());
}

void say(const std::string& line) { std::fprintf(stderr, "%s\n", base::printable(line, "\n").c_str()); }

void say_data(const data::DataSet& data) {
  say(data_text(data));
  for (const std::string& remark : data.remarks) say("note: " + remark);
}

/// What a resumed run must not change, compared with what it was started with.
void check_resume(const plan::Request& request, const plan::TrainingPlan& plan, const data::DataSet& data) {
  plan::require_same_result(request, plan);
  if (data::fingerprint(data, plan.data) != plan.data_fingerprint)
    throw Error(ErrorCode::kInvalidArgument, plan.data,
                "the files are not those that the run started with (names, sizes or labels differ); restore them, or "
                "start a new run with " +
                    plan::option_name(&plan::Request::init_from));
}

struct Prepared {
  plan::TrainingPlan plan;
  data::DataSet data;
  std::filesystem::path output;
  bool is_new = true;
};

Prepared prepare_resume(const plan::Request& request) {
  Prepared prepared;
  prepared.output = *request.resume;
  prepared.is_new = false;
  prepared.plan = train::RunFolder(prepared.output).read_plan();
  // It may have moved; the fingerprint says whether it is the same.
  prepared.plan.data = request.data ? *request.data : plan::data_place(prepared.plan, prepared.output).native();
  prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
  check_resume(request, prepared.plan, prepared.data);
  for (const std::string& change : plan::take_changes(request, prepared.plan)) say("note: " + change);
  return prepared;
}

void plan_as_published(const plan::Request& request, const train::Runtime& runtime, Prepared& prepared) {
  plan::PublishedTraining training = plan::plan_published(request, {train::has_cuda(), runtime.num_threads, {}});
  prepared.plan = std::move(training.plan);
  if (!training.data) return;
  prepared.data = std::move(*training.data);
  say_data(prepared.data);
}

void plan_for_data(const plan::Request& request, const train::Runtime& runtime, Prepared& prepared) {
  plan::take_settings(request, prepared.plan);
  prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
  say_data(prepared.data);
  plan::require_trainable(prepared.data, base::printable(prepared.plan.data));
  const plan::Machine machine{train::has_cuda(), runtime.num_threads, format::shipped_models()};
  const data::Survey survey = data::look_at(prepared.data);
  prepared.plan = plan::choose_plan(request, prepared.data, survey, machine);
  plan::choose_schedule(
      request, prepared.data.train.size(),
      [&] { return train::measure_step_seconds(prepared.plan, prepared.data, runtime); }, prepared.plan);
}

/// What --auto-resume makes of a request that finds a run in its output.
plan::Request going_on(plan::Request request) {
  request.resume = std::exchange(request.output, std::nullopt);
  return request;
}

Prepared prepare_new(const plan::Request& request, const train::Runtime& runtime) {
  Prepared prepared;
  prepared.output = request.output.value_or("");
  if (request.output && request.auto_resume) {
    const train::RunFolder folder(prepared.output);
    if (folder.holds_run()) return prepare_resume(going_on(request));
    folder.remove_unborn();
  }
  if (request.output) train::RunFolder(prepared.output).require_absent();  // before work is done that would be lost
  (request.config ? plan_as_published : plan_for_data)(request, runtime, prepared);
  if (request.output) plan::remember_places(prepared.plan, prepared.output);
  for (const std::string& reason : prepared.plan.reasons) say("  " + reason);
  return prepared;
}

/// What must be the same on all ranks, and what it is here.
std::string properties_of(const plan::Request& request, const train::Ranks& ranks) {
  const format::OrderedJson properties{{"version", version()},
                                       {"kernels", kernels::default_kernels().name},
                                       {"devices", train::devices_of(ranks.world())},
                                       {"request", plan::to_json(request)}};
  return format::to_text(properties);
}

/// \throws Error kInvalidArgument naming both sides and what each has
[[noreturn]] void refuse(const train::Ranks& ranks, int rank, const std::string& own, const std::string& other) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("ranks must not differ: {} has {}, {} has {}", ranks.name(0), own, ranks.name(rank), other));
}

/// On the first rank: compares what all are asked for and made of.
void require_alike(const plan::Request& request, train::Ranks& ranks) {
  const std::vector<std::string> texts = ranks.to_first(properties_of(request, ranks));
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    const format::Json own = format::from_text(texts.front()), other = format::from_text(texts[rank]);
    const auto number = static_cast<int>(rank);
    for (const auto& [key, what] :
         {std::pair("version", "version"), std::pair("kernels", "BYTEFORMER_KERNELS"), std::pair("devices", "devices")})
      if (own.at(key) != other.at(key))
        refuse(ranks, number, fmt::format("{} {}", what, own.at(key).get<std::string>()),
               fmt::format("{} {}", what, other.at(key).get<std::string>()));
    const auto differences = plan::differences(request, plan::parse_request(other.at("request").get<std::string>()));
    if (!differences.empty()) refuse(ranks, number, differences.front().first, differences.front().second);
  }
}

/// On the first rank: compares the fingerprints of the files that all found.
void require_same_data(const Prepared& prepared, train::Ranks& ranks) {
  const format::Json own{prepared.plan.data_fingerprint, prepared.plan.data,
                         prepared.data.train.size() + prepared.data.validation.size()};
  const std::vector<std::string> texts = ranks.to_first(format::to_text(own));
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    const format::Json other = format::from_text(texts[rank]);
    const auto side = [](const format::Json& json) {
      return fmt::format("{} files in {} (fingerprint {})", json.at(2).get<std::size_t>(),
                         base::printable(json.at(1).get<std::string>()), json.at(0).get<std::string>());
    };
    if (other.at(0) != own.at(0)) refuse(ranks, static_cast<int>(rank), side(own), side(other));
  }
}

/// The plan is made by the first rank; each looks for the data itself.
Prepared prepare(const plan::Request& request, const train::Runtime& runtime) {
  train::Ranks& ranks = *runtime.ranks;
  Prepared prepared;
  if (ranks.is_first()) {
    prepared = request.resume ? prepare_resume(request) : prepare_new(request, runtime);
    if (!ranks.are_many()) return prepared;
    ranks.from_first(plan::to_json(prepared.plan));
  } else {
    prepared.plan = plan::parse_plan(ranks.from_first(""), ranks.name(0));
    prepared.plan.data = request.data.value_or(prepared.plan.data);
    prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
    prepared.plan.data_fingerprint = data::fingerprint(prepared.data, prepared.plan.data);
  }
  require_same_data(prepared, ranks);
  return prepared;
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

  void show_end(const plan::Progress& progress, bool is_finished, double top1) const {
    write("end", progress.step,
          {{"is_finished", is_finished},
           {"best_step", progress.best_step},
           {"top1", top1},
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
    display.show(e);
    lines.show(e);
    curves->add(e.step, {{"validation/loss", e.loss}, {"validation/top1", e.top1}, {"validation/top5", e.top5}});
  };
  events.on_message = [&](const std::string& message) { display.say(message); };
  events.should_stop = cli::interrupted;
  const train::Outcome outcome = train::train(prepared.plan, prepared.data, folder, runtime, events);
  display.clear();
  if (!outcome.is_finished) {
    lines.show_end(outcome.progress, false, outcome.progress.best_top1);
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
    lines.show_end(outcome.progress, true, metrics.top1);
  } else {
    std::fputs(fmt::format("{}: top-1 {:.2f} % on {} validation files (weights of step {})\n", output,
                           100 * metrics.top1, metrics.samples, outcome.progress.best_step)
                   .c_str(),
               stdout);
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

int show_plan(train::Ranks& ranks, const plan::Request& request) {
  if (!ranks.is_first()) return 0;
  train::Ranks alone;
  const Prepared prepared = prepare(request, runtime_of(request, alone));
  if (request.json) std::fputs(plan::to_json(prepared.plan).c_str(), stdout);
  return 0;
}

}  // namespace

int train(const plan::Request& request) {
  follow_launcher();
  train::Ranks ranks(train::find_world(train::process_environment()));
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
    if (ranks.claim_failure()) complain("train", failure);
    ranks.abandon(failure.status);
  }
}

}  // namespace byteformer::train_app
