// Trains or rekeys, judges by test files, and writes the log.
#include "experiments/runner.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "byteformer/classifier.hpp"
#include "byteformer/error.hpp"
#include "byteformer/version.hpp"
#include "classify/sample_classifier.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "evaluation/examination.hpp"
#include "exit_status.hpp"
#include "interop/import_export.hpp"
#include "output/numbers.hpp"
#include "output/output_files.hpp"
#include "output/progress_bar.hpp"
#include "plan/plan.hpp"
#include "plan/progress.hpp"
#include "prepare/preprocess.hpp"
#include "system/external_program.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {

namespace {

constexpr std::size_t kBatchSize = 64;

data::DataSet find_data(const std::filesystem::path& data_dir, const Classifier& classifier) {
  data::DataSetOptions find;
  find.classes = classifier.labels();
  find.split_validation = false;
  find.needs_training_files = false;
  return data::find_data_set(data_dir, find);
}

}  // namespace

TestAnswers answer_tests(const std::filesystem::path& model_dir, const std::filesystem::path& data_dir,
                         const AnsweringOptions& options, Console& console) {
  LoadOptions load;
  load.num_threads = options.num_threads;
  const Classifier classifier = Classifier::load(model_dir, load);
  const data::DataSet data_set = find_data(data_dir, classifier);
  const std::vector<data::Sample>& samples = data::evaluation_samples(data_set);
  if (&samples == &data_set.train)
    throw Error(ErrorCode::kInvalidArgument, data_dir.native(),
                "has neither test nor validation files to judge a model by");
  const SampleClassifier files(classifier, prepare::read_preprocess(model_dir));
  ProgressBar progress(console, samples.size(), options.has_progress);
  Examiner examiner(classifier.labels().size(), kBatchSize, progress);
  Examination examination = examiner.examine(files, samples, [](const Failure&) {});
  if (interrupted()) throw Interrupted{};
  return {&samples == &data_set.test ? "test" : "validation", std::move(examination.answers),
          static_cast<std::int64_t>(examination.failures.size())};
}

namespace {

namespace fs = std::filesystem;
using experiments::Run;
using experiments::RunLog;

constexpr std::size_t kMaxSettingsBytes = 1 << 20;
constexpr std::size_t kMaxPlanBytes = 64 << 20;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

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

}  // namespace

Runner::Runner(const experiments::RecipeBook& book, RunnerOptions options)
    : book_(book),
      options_(std::move(options)),
      answering_{static_cast<int>(options_.num_threads.value_or(0)), options_.has_progress} {}

/// What the model was started with lies beside its folder, which the trainer wants to itself.
fs::path Runner::settings_path(const Run& run) const {
  fs::path path = experiments::model_dir(run, options_.places);
  return path += ".json";
}

RunState Runner::state_of(const Run& run) const {
  if (const auto log = experiments::find_log(run, options_.places))
    return log->fingerprint == experiments::fingerprint(book_, run) ? RunState::kFinished : RunState::kOutdated;
  const fs::path settings = settings_path(run);
  if (!is_there(settings)) return RunState::kNew;
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
  train_or_rekey(run, console, log);
  for (const experiments::DataSource* data : run.at_scale().tests) log.tests.push_back(test(run, *data, console));
  experiments::write_log(run, log, options_.places);
  return log;
}

void Runner::train_or_rekey(const Run& run, Console& console, RunLog& log) const {
  if (!run.at_scale().rekeys.empty()) {
    log.rekeying = rekey(run, console);
    return;
  }
  train(run);
  log.training = read_training(experiments::model_dir(run, options_.places));
}

void Runner::train(const Run& run) const {
  const fs::path model_dir = experiments::model_dir(run, options_.places);
  plan::Request request = experiments::training_request(run, options_.places);
  if (is_there(model_dir / "training" / "plan.json")) {
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
    throw Error(ErrorCode::kInternal,
                experiments::to_string(run) +
                    base::joined(": the trainer failed with exit status ", status, "; what it says stands above"));
}

experiments::RekeyingLog Runner::rekey(const Run& run, Console& console) const {
  const Run plain = experiments::rekeyed_run(book_, run);
  const fs::path plain_dir = experiments::model_dir(plain, options_.places);
  const fs::path keyed_dir = experiments::model_dir(run, options_.places);
  if (!is_there(plain_dir / "config.json"))
    throw Error(ErrorCode::kNotFound, plain_dir.native(),
                "the model of " + experiments::to_string(plain) + " is not there any more; run it again with --force");
  delete_all(keyed_dir);
  const auto transforms = prepare::parse_transforms(run.at_scale().train.transforms.value(), run.recipe->name);
  interop::rekey_model({.model = plain_dir, .key = transforms.permutations.front(), .output = keyed_dir});
  const fs::path data_dir = experiments::locate(*run.at_scale().data, options_.places.data);
  const TestAnswers of_plain = answer_tests(plain_dir, data_dir, answering_, console);
  const TestAnswers of_keyed = answer_tests(keyed_dir, data_dir, answering_, console);
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
  log.machine = processor_name() + ", " + counted(options_.num_threads.value_or(num_available_processors()), "thread");
  return log;
}

experiments::TestResult Runner::test(const Run& run, const experiments::DataSource& data, Console& console) const {
  const TestAnswers tests = answer_tests(experiments::model_dir(run, options_.places),
                                         experiments::locate(data, options_.places.data), answering_, console);
  const data::Metrics metrics = data::measure(tests.answers);
  return {std::string(data.name), tests.split, metrics.samples, tests.failures, metrics.top1, metrics.loss};
}

}  // namespace byteformer::cli
