// Trains or rekeys, judges by test files, and writes the log; tasks in their order, and their progress.
#include "experiments/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <system_error>

#include "base/file_io.hpp"
#include "base/processors.hpp"
#include "base/text.hpp"
#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "classify/sample_classifier.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "evaluation/evaluation.hpp"
#include "exit_status.hpp"
#include "experiments/report.hpp"
#include "interop/import_export.hpp"
#include "options.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"
#include "prepare/preprocess.hpp"
#include "system/external_program.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {

namespace {

namespace fs = std::filesystem;
using experiments::Run;
using experiments::RunLog;

constexpr std::size_t kMaxSettingsBytes = 1 << 20;
constexpr std::size_t kMaxPlanBytes = 64 << 20;

/// \throws Error kIo or kPermissionDenied.
void delete_all(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error)
    throw Error(error == std::errc::permission_denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo, path.native(),
                "cannot be deleted: " + error.message());
}

/// What the trainer keeps of a finished training.
experiments::TrainingLog read_training(const fs::path& model_dir) {
  const fs::path plan_path = model_dir / "training" / "plan.json";
  const plan::TrainingPlan plan =
      plan::parse_plan(base::read_text_file(plan_path, kMaxPlanBytes), base::printable(plan_path));
  const std::optional<plan::Progress> progress = plan::read_progress(model_dir);
  if (!progress || progress->step < plan.schedule.total_steps)
    throw Error(ErrorCode::kInternal, model_dir.native(), "the trainer ended well before the last step");
  return {plan.data_fingerprint, progress->step,    progress->best_step,
          plan.epochs(),         progress->seconds, experiments::thinned(progress->history)};
}

/// Whether all logits are the same bits.
bool are_bit_identical(const data::Answers& a, const data::Answers& b) {
  const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  return a.size() > 0 && a.labels == b.labels && std::ranges::equal(a.logits, b.logits, {}, bits, bits);
}

/// "image_tiff, seed 0; joint, seed 1 and 7 more": those tasks that `counts` says.
template <typename Counts>
std::string names_of(const std::vector<Task>& tasks, const Counts& counts) {
  constexpr int kMost = 3;
  std::string names;
  int count = 0;
  for (const Task& task : tasks)
    if (counts(task) && ++count <= kMost) names += (names.empty() ? "" : "; ") + to_string(task.run);
  return count > kMost ? names + fmt::format(" and {} more", count - kMost) : names;
}

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

/// By what the runs of a session took.
class TimeLeft {
 public:
  void add(std::chrono::duration<double> run) {
    seconds_ += run.count();
    ++num_runs_;
  }
  std::string text(std::ptrdiff_t num_left) const {
    if (num_runs_ == 0) return "";
    return fmt::format(", about {} left for all",
                       base::duration_text(seconds_ / num_runs_ * static_cast<double>(num_left)));
  }

 private:
  double seconds_ = 0;
  int num_runs_ = 0;
};

}  // namespace

/// What the model was started with lies beside its folder, which the trainer wants to itself.
fs::path Runner::settings_path(const Run& run) const {
  fs::path path = experiments::model_dir(run, options_.places);
  return path += ".json";
}

RunState Runner::state_of(const Run& run) const {
  if (const auto log = experiments::find_log(run, options_.places))
    return log->fingerprint == experiments::fingerprint(book_, run) ? RunState::kFinished : RunState::kOutdated;
  const fs::path settings = settings_path(run);
  if (!base::exists(settings)) return RunState::kNew;
  const bool is_same =
      base::read_text_file(settings, kMaxSettingsBytes) == experiments::settings_json(book_, run) + "\n";
  return is_same ? RunState::kStarted : RunState::kOutdated;
}

void Runner::forget(const Run& run) const {
  delete_all(experiments::model_dir(run, options_.places));
  delete_all(settings_path(run));
  delete_all(experiments::log_path(run, options_.places));
}

RunLog Runner::carry_out(const Run& run, Console& console) const {
  RunLog log = describe(run);
  create_folders(settings_path(run).parent_path());
  base::write_file_atomically(settings_path(run), experiments::settings_json(book_, run) + "\n");
  if (run.at_scale().rekeys.empty()) {
    train(run);
    log.training = read_training(experiments::model_dir(run, options_.places));
  } else {
    log.rekeying = rekey(run, console);
  }
  for (const experiments::DataSource* data : run.at_scale().tests) log.tests.push_back(test(run, *data, console));
  experiments::write_log(run, log, options_.places);
  return log;
}

void Runner::train(const Run& run) const {
  const fs::path model_dir = experiments::model_dir(run, options_.places);
  plan::Request request = experiments::training_request(run, options_.places);
  if (base::exists(model_dir / "training" / "plan.json")) {
    request = {};
    request.resume = model_dir.string();
    request.data = (options_.places.data / run.at_scale().data->folder).string();
  } else {
    delete_all(model_dir);  // killed before there was anything to resume
  }
  request.threads = options_.num_threads;
  request.no_progress = !options_.has_progress;
  const int status = run_program(options_.trainer, {plan::to_json(request)});
  if (status == kExitInterrupted) throw Interrupted{};
  if (status != kExitOk)
    throw Error(ErrorCode::kInternal, experiments::to_string(run),
                base::joined("the trainer failed with exit status ", status, "; what it says stands above"));
}

experiments::RekeyingLog Runner::rekey(const Run& run, Console& console) const {
  const Run plain = experiments::rekeyed_run(book_, run);
  const fs::path plain_dir = experiments::model_dir(plain, options_.places);
  const fs::path keyed_dir = experiments::model_dir(run, options_.places);
  if (!base::exists(plain_dir / "config.json"))
    throw Error(
        ErrorCode::kNotFound, plain_dir.native(),
        "the model of " + experiments::to_string(plain) + " is not there any more; run it again with " + kForceOption);
  delete_all(keyed_dir);
  const auto transforms = prepare::parse_transforms(run.at_scale().train.transforms.value(), run.recipe->name);
  interop::rekey_model({.model = plain_dir, .key = transforms.permutations.front(), .output = keyed_dir});
  const TestAnswers of_plain = answer_tests(plain_dir, *run.at_scale().data, console);
  const TestAnswers of_keyed = answer_tests(keyed_dir, *run.at_scale().data, console);
  return {plain.recipe->name, static_cast<std::int64_t>(of_keyed.answers.size()),
          are_bit_identical(of_plain.answers, of_keyed.answers)};
}

RunLog Runner::describe(const Run& run) const {
  RunLog log;
  log.experiment = run.recipe->name;
  log.scale = to_string(run.scale);
  log.seed = run.seed;
  log.command = experiments::training_command(book_, run, {});
  log.fingerprint = experiments::fingerprint(book_, run);
  log.version = version();
  log.machine = processor_name() + ", " + counted(options_.num_threads.value_or(base::num_processors()), "thread");
  return log;
}

experiments::TestResult Runner::test(const Run& run, const experiments::DataSource& data, Console& console) const {
  const TestAnswers tests = answer_tests(experiments::model_dir(run, options_.places), data, console);
  const data::Metrics metrics = data::measure(tests.answers);
  return {std::string(data.name), tests.split, metrics.samples, tests.failures, metrics.top1, metrics.loss};
}

/// \throws Error if model or data cannot be used, and where the data have neither test nor validation files;
/// Interrupted.
Runner::TestAnswers Runner::answer_tests(const fs::path& model_dir, const experiments::DataSource& data,
                                         Console& console) const {
  const fs::path data_dir = experiments::locate(data, options_.places.data);
  LoadOptions load;
  load.num_threads = static_cast<int>(options_.num_threads.value_or(0));
  load.as_is = true;  // files are judged and prepared before they come to it
  const Classifier classifier = Classifier::load(model_dir, load);
  const data::DataSet data_set = find_labelled(data_dir, model_dir);
  const std::vector<data::Sample>& samples = data::evaluation_samples(data_set);
  if (&samples == &data_set.train)
    throw Error(ErrorCode::kInvalidArgument, data_dir.native(),
                "has neither test nor validation files to judge a model by");
  const SampleClassifier files(classifier, prepare::read_preprocess(model_dir));
  ProgressBar progress(console, samples.size(), options_.has_progress);
  Examiner examiner(classifier.labels(), kDefaultBatchSize, progress);
  Examination examination = examiner.examine(files, samples);
  if (interrupted()) throw Interrupted{};
  return {&samples == &data_set.test ? "test" : "validation", std::move(examination.answers),
          std::ssize(examination.failures)};
}

std::vector<Task> find_tasks(const experiments::RecipeBook& book, const Runner& runner,
                             const std::vector<const experiments::Recipe*>& recipes, experiments::Scale scale,
                             std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps) {
  std::vector<Task> tasks;
  for (const Run& run : experiments::schedule(book, recipes, scale, num_seeds, steps))
    tasks.push_back({run, runner.state_of(run), std::ranges::find(recipes, run.recipe) != recipes.end()});
  return tasks;
}

void check_data(const std::vector<Task>& tasks, const experiments::Places& places) {
  for (const Task& task : tasks) {
    experiments::locate(*task.run.at_scale().data, places.data);
    for (const experiments::DataSource* test : task.run.at_scale().tests) experiments::locate(*test, places.data);
  }
}

void check_states(const std::vector<Task>& tasks, bool resumes) {
  const std::string outdated = names_of(tasks, [](const Task& task) { return task.state == RunState::kOutdated; });
  if (!outdated.empty())
    throw UsageError("there are runs with other settings than the recipes have now: " + outdated + "; " + kForceOption +
                     " makes them anew");
  const std::string there =
      names_of(tasks, [](const Task& task) { return task.is_asked_for && task.state != RunState::kNew; });
  if (!resumes && !there.empty())
    throw UsageError(base::joined("there are runs already: ", there, "; ", plan::option_name(&plan::Request::resume),
                                  " goes on with those that were interrupted and leaves out those that are done, ",
                                  kForceOption, " makes all anew"));
}

int forget(const Runner& runner, std::vector<Task>& tasks, Console& console) {
  const auto is_made_anew = [](const Task& task) { return task.is_asked_for || task.state == RunState::kOutdated; };
  const auto cannot_be_forgotten = [&](const Task& task) {
    if (!is_made_anew(task)) return false;
    const std::optional<Error> error = error_of([&] { runner.forget(task.run); });
    if (error) complain(console, to_string(task.run) + ": " + error->what());
    return error.has_value();
  };
  const auto num_failed = static_cast<int>(std::erase_if(tasks, cannot_be_forgotten));
  for (Task& task : tasks)
    if (is_made_anew(task)) task.state = RunState::kNew;
  return num_failed;
}

void show_plan(const experiments::RecipeBook& book, const std::vector<Task>& tasks, const experiments::Places& places,
               Console& console) {
  constexpr const char* kStates[] = {"to do", "to resume", "done", "outdated"};
  for (const Task& task : tasks)
    console.out << fmt::format("# {}: {}\n{}\n", to_string(task.run), kStates[static_cast<int>(task.state)],
                               experiments::training_command(book, task.run, places));
}

int run_session(const experiments::RecipeBook& book, const Runner& runner, const experiments::Places& places,
                const std::vector<Task>& tasks, Console& console) {
  const auto total = std::ranges::count_if(tasks, is_left);
  std::ptrdiff_t number = 0;
  int num_failed = 0;
  TimeLeft time_left;
  for (const Task& task : tasks) {
    if (!is_left(task)) continue;
    if (interrupted()) throw Interrupted{};
    const std::string name = to_string(task.run);
    console.err << fmt::format("[{}/{}] {}{}\n", number + 1, total, name, time_left.text(total - number)) << std::flush;
    ++number;
    try {
      const auto start = Clock::now();
      const RunLog log = runner.carry_out(task.run, console);
      console.out << fmt::format("{}: {}\n", name, accuracy_text(log)) << std::flush;
      time_left.add(Clock::now() - start);
      experiments::write_report(book, places);
    } catch (const std::exception& error) {  // of whatever kind: the others go on
      complain(console, name + ": " + error.what());
      ++num_failed;
    }
  }
  return num_failed;
}

}  // namespace byteformer::cli
