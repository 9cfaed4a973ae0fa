// Finds or makes a plan, trains by it, and writes what there is to tell.
#include "training_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "data/metrics.hpp"
#include "data/survey.hpp"
#include "plan/event_file.hpp"
#include "plan/planner.hpp"
#include "plan/published_plan.hpp"
#include "plan/report.hpp"
#include "progress_display.hpp"
#include "train/run_folder.hpp"
#include "train/runtime.hpp"
#include "train/trainer.hpp"

namespace byteformer::train_app {
namespace {

constexpr int kExitInterrupted = 130;

train::Runtime runtime_of(const plan::Request& request) {
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  train::Runtime runtime;
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
    throw Error(ErrorCode::kInvalidArgument,
                plan.data +
                    ": the files are not those that the run started with (names, sizes or labels differ); "
                    "restore them, or start a new run with " +
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

Prepared prepare_published(const plan::Request& request, const train::Runtime& runtime) {
  Prepared prepared;
  prepared.output = request.output.value_or("");
  if (request.output) train::RunFolder(prepared.output).require_absent();
  plan::PublishedTraining training = plan::plan_published(request, {train::has_cuda(), runtime.num_threads});
  prepared.plan = std::move(training.plan);
  if (training.data) {
    prepared.data = std::move(*training.data);
    say_data(prepared.data);
  }
  if (request.output) plan::remember_places(prepared.plan, prepared.output);
  for (const std::string& reason : prepared.plan.reasons) say("  " + reason);
  return prepared;
}

Prepared prepare_new(const plan::Request& request, const train::Runtime& runtime) {
  Prepared prepared;
  prepared.output = request.output.value_or("");
  if (request.output) train::RunFolder(prepared.output).require_absent();  // before work is done that would be lost
  plan::take_settings(request, prepared.plan);
  prepared.data = data::find_data_set(prepared.plan.data, plan::split_options(prepared.plan));
  say_data(prepared.data);
  plan::require_trainable(prepared.data, base::printable(prepared.plan.data));
  const plan::Machine machine{train::has_cuda(), runtime.num_threads};
  const data::Survey survey = data::look_at(prepared.data);
  prepared.plan = plan::choose_plan(request, prepared.data, survey, machine);
  plan::choose_schedule(
      request, prepared.data.train.size(),
      [&] { return train::measure_step_seconds(prepared.plan, prepared.data, runtime); }, prepared.plan);
  if (request.output) plan::remember_places(prepared.plan, prepared.output);
  for (const std::string& reason : prepared.plan.reasons) say("  " + reason);
  return prepared;
}

/// Curves, report and card; a full disk costs these, not the model.
class Records {
 public:
  Records(const std::filesystem::path& folder, std::int64_t first_step) : events_(folder, first_step) {}

  void add(const train::StepReport& report) {
    constexpr std::int64_t kEvery = 10;
    if (report.step % kEvery == 0)
      events_.add(report.step, {{"train/loss", report.loss},
                                {"train/learning_rate", report.learning_rate},
                                {"train/gradient_norm", report.gradient_norm},
                                {"train/files_per_second", static_cast<double>(report.samples) / report.seconds}});
  }
  void add(const plan::ValidationResult& e) {
    events_.add(e.step, {{"validation/loss", e.loss}, {"validation/top1", e.top1}, {"validation/top5", e.top5}});
  }

 private:
  plan::EventFile events_;
};

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

int train(const Prepared& prepared, const plan::Request& request, const train::Runtime& runtime) {
  train::RunFolder folder(prepared.output);
  if (prepared.is_new) folder.create(prepared.plan);
  ProgressDisplay display(prepared.plan, request.no_progress);
  std::optional<Records> records;
  train::TrainingEvents events;
  events.on_start = [&](std::int64_t step) { records.emplace(folder.training_dir(), step); };
  events.on_step = [&](const train::StepReport& report) {
    display.show(report);
    records->add(report);
  };
  events.on_evaluation = [&](const plan::ValidationResult& evaluation) {
    display.show(evaluation);
    records->add(evaluation);
  };
  events.on_message = [&](const std::string& message) { display.say(message); };
  events.should_stop = cli::interrupted;
  cli::watch_for_interrupt({SIGINT, SIGTERM});  // stops after the step and saves
  const train::Outcome outcome = train::train(prepared.plan, prepared.data, folder, runtime, events);
  display.finish();
  if (!outcome.is_finished) {
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
  std::fputs(fmt::format("{}: top-1 {:.2f} % on {} validation files (weights of step {})\n", output, 100 * metrics.top1,
                         metrics.samples, outcome.progress.best_step)
                 .c_str(),
             stdout);
  if (const std::size_t count = outcome.progress.failures.size(); count > 0)
    say(fmt::format("{} training files could not be used and were skipped, as said above", count));
  say(fmt::format("report: {0}/training/report.html, model card: {0}/README.md", output));
  say(fmt::format("next: byteformer classify --model {} FILE...", output));
  if (!prepared.data.test.empty())
    say(fmt::format("the test files had no part in this: byteformer eval --model {} --data {}", output,
                    base::printable(prepared.plan.data)));
  return 0;
}

}  // namespace

int run(const plan::Request& request) {
  const train::Runtime runtime = runtime_of(request);
  const Prepared prepared = request.resume   ? prepare_resume(request)
                            : request.config ? prepare_published(request, runtime)
                                             : prepare_new(request, runtime);
  if (request.dry_run) {
    if (request.json) std::fputs(plan::to_json(prepared.plan).c_str(), stdout);
    return 0;
  }
  return train(prepared, request, runtime);
}

}  // namespace byteformer::train_app
