// `byteformer eval`: how often a model is right about labelled files.
#include <memory>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "classify/sample_classifier.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "evaluation/evaluation.hpp"
#include "format/model_folder.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(DATA is what `byteformer train` takes: a folder with a folder of files for each class, one with train/, val/ and
test/ of such folders, a manifest (CSV or JSON lines of path and label), or Speech Commands. Its classes must be
among the model's. Without --split the test set is used; where there is none, the validation set (also the files that
the model's own training held out); where there is none either, all files.

Pictures and sounds are prepared as the model expects them, as `byteformer classify` does. A file that cannot be
classified is listed (on standard error, or in the JSON), counted in no figure, and means exit status 1.

Damage: --corrupt KIND:LEVEL,LEVEL (or KIND alone, for its usual levels), as often as there are kinds, judges the
files once more at each level:
  bit-flips        each bit of a file flips; level: with this probability, 0 to 1
  byte-noise       each byte becomes a random one; with this probability
  truncate         the end is lost; this share of the file
  drop-blocks      64 bytes are lost and later ones move up; each block with this chance
  zero-blocks      64 bytes become zeros; each block with this chance
  shuffle-windows  the bytes of each window are put in random order; bytes of a window
  jpeg-quality     pictures go through JPEG, at their own size; quality, 1 to 100
  mp3-bitrate      sounds go through MP3, at their own rate; kbit/s, 8 to 320
  sample-rate      sounds are resampled; Hz
The last three come before the preparation, in files that are decoded for it; the others hit the bytes that the model
reads, or with --corrupt-source the file as it lies on disk: a damaged JPEG that no longer decodes then fails. Damage
follows from a file's bytes and --seed: not from threads, order or other files. Something always stays: a byte of a
truncated file, a block of dropped ones.

Examples:
  byteformer eval --model models/mine --data photos/
  byteformer eval --model models/mine --data photos/ --split validation
  byteformer eval --model models/mine --data test.csv --json | jq .top1
  byteformer eval --model models/mine --data photos/ --corrupt bit-flips:0.001,0.01,0.1
  byteformer eval -m models/mine -d photos/ --corrupt truncate --report curves.html

JSON:
  {"model","data","split","samples","top1","top5","loss","calibration_error","labels",
   "per_class":[{"label","samples","recall","precision"}],"confusion":[[files]],
   "failures":[{"path","code","message"}],
   "corruption":{"seed","source","curves":[{"kind","level_is",
     "points":[{"level","samples","top1","top5","loss","failed",
                "first_failure":{"path","code","message"}}]}]}}

"corruption" is there with --corrupt, "first_failure" where files failed; files that fail undamaged are not tried
again. Fractions are from 0 to 1, null for a class without files or answers. Row i, column j of "confusion" counts
files of class i that the model took for class j. "loss" is the mean cross entropy; "calibration_error" is how far the
scores (with the model's temperature) are from the accuracy, over 15 bins.)";

constexpr const char* kCorruptSourceOption = "--corrupt-source";
constexpr const char* kReportOption = "--report";

using plan::Request;

struct Options {
  ModelOptions model;
  std::optional<std::string> data, split;
  std::vector<std::string> corrupt;
  std::optional<std::string> report;
  std::optional<std::int64_t> batch_size, seed;
  bool json = false, no_progress = false, corrupt_source = false, force = false;
};

struct Split {
  std::string name;
  std::vector<data::Sample> samples;
};

Split all_of(const data::DataSet& data_set) {
  Split split{"all", data_set.train};
  for (const auto* samples : {&data_set.validation, &data_set.test})
    split.samples.insert(split.samples.end(), samples->begin(), samples->end());
  return split;
}

/// The split that was asked for; else the one to judge a model by.
Split choose_split(const data::DataSet& data_set, const Options& options) {
  if (options.split == "all") return all_of(data_set);
  const Split splits[] = {{"test", data_set.test}, {"validation", data_set.validation}, {"train", data_set.train}};
  if (!options.split) {
    const std::vector<data::Sample>& samples = data::evaluation_samples(data_set);
    if (&samples == &data_set.train) return all_of(data_set);
    return {&samples == &data_set.test ? "test" : "validation", samples};
  }
  std::string others = "all";
  for (const Split& split : splits) {
    if (split.name == options.split && !split.samples.empty()) return split;
    if (!split.samples.empty()) others = split.name + " or " + others;
  }
  throw UsageError("the data have no " + *options.split + " set; --split can be " + others);
}

/// Classes go by their names where the model has all of them, in whatever order it had them when it was trained.
void number_as(const std::vector<std::string>& labels, data::DataSet& data_set) {
  std::vector<int> numbers;
  for (const std::string& name : data_set.classes) {
    const auto found = std::ranges::find(labels, name);
    if (found == labels.end()) return;  // renamed since
    numbers.push_back(static_cast<int>(found - labels.begin()));
  }
  for (auto* samples : {&data_set.train, &data_set.validation, &data_set.test})
    for (data::Sample& sample : *samples) sample.label = numbers[static_cast<std::size_t>(sample.label)];
  data_set.classes = labels;
}

data::DataSet find_data(const Options& options, Console& console) {
  // Files that a model was trained on judge it too kindly: of these only those count that were held out.
  if (std::optional<data::DataSet> known = data::find_as_trained(*options.model.dir, *options.data)) {
    if (!options.split && known->test.empty() && !known->validation.empty())
      complain(console, "note: the model was trained on these files; it is judged by the " +
                            counted(known->validation.size(), "file") +
                            " held out for validation (--split all takes all)");
    number_as(format::read_config(*options.model.dir).labels, *known);
    return std::move(*known);
  }
  data::DataSet data_set = find_labelled(*options.data, *options.model.dir);
  for (const std::string& remark : data_set.remarks) complain(console, "note: " + remark);
  return data_set;
}

std::vector<std::filesystem::path> paths_of(const std::vector<data::Sample>& samples) {
  std::vector<std::filesystem::path> paths;
  for (const data::Sample& sample : samples) paths.push_back(sample.path);
  return paths;
}

void check(const Options& options) {
  if (!options.corrupt.empty()) return;
  const auto refuse = [](bool is_given, const std::string& name) {
    if (is_given) throw UsageError(name + " needs " + kCorruptOption);
  };
  refuse(options.corrupt_source, kCorruptSourceOption);
  refuse(options.seed.has_value(), plan::option_name(&Request::seed));
  refuse(options.report.has_value(), kReportOption);
}

/// The whole files first; damage is then done to those that the model answers.
Evaluation evaluate(const Options& options, const RobustnessSetting& setting, const Classifier& classifier,
                    const prepare::Preprocess& preprocess, Console& console) {
  const SampleClassifier files(classifier, preprocess);
  const Split split = choose_split(find_data(options, console), options);
  if (options.report) refuse_to_replace(*options.report, paths_of(split.samples));
  ProgressBar progress(console, split.samples.size() * (1 + setting.num_points()), !options.no_progress);
  Examiner examiner(classifier.labels(), static_cast<std::size_t>(options.batch_size.value_or(kDefaultBatchSize)),
                    progress);
  const Examination examination = examiner.examine(files, split.samples, [&](const Failure& failure) {
    if (options.json) return;
    progress.clear();
    complain(console, failure.error);
  });
  if (examination.num_prepared > 0) {
    progress.clear();
    complain(console, files.remark(examination.num_prepared));
  }
  Evaluation evaluation{
      .model = *options.model.dir,
      .data = *options.data,
      .split = split.name,
      .labels = classifier.labels(),
      .metrics = data::measure(examination.answers, format::read_config(*options.model.dir).temperature),
      .failures = examination.failures};
  if (!setting.curves.empty() && !interrupted())
    evaluation.robustness =
        measure_robustness(setting, classifier, preprocess, examination.answered, examiner, console);
  return evaluation;
}

int eval(const Options& options, Console& console) {
  check(options);
  const RobustnessSetting setting{.curves = parse_curve_plans(options.corrupt),
                                  .seed = static_cast<std::uint64_t>(options.seed.value_or(0)),
                                  .is_of_source = options.corrupt_source};
  if (options.report) {
    check_overwriting("", *options.report, options.force);
    refuse_to_replace(*options.report, files_of_model(options.model.dir.value()));
    refuse_to_replace(*options.report, {*options.data});
    refuse_to_replace(*options.report, {options.model.keys.begin(), options.model.keys.end()});
  }
  watch_for_interrupt();
  const prepare::Preprocess preprocess = options.model.preprocess();
  for (const CurvePlan& curve : setting.curves) data::check_applies(*curve.kind, preprocess);
  const Evaluation evaluation = evaluate(options, setting, options.model.load(), preprocess, console);
  if (interrupted()) return kExitInterrupted;
  console.out << (options.json            ? evaluation_json(evaluation)
                  : evaluation.robustness ? robustness_text(evaluation, console)
                                          : evaluation_text(evaluation, console))
              << std::flush;
  if (options.report)
    base::write_file_atomically(*options.report, robustness_page(evaluation), {.replaces = options.force});
  return evaluation.has_failures() ? kExitInputFailed : kExitOk;
}

}  // namespace

Action add_eval(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model);
  add_setting(line, &Request::data, options->data).required();
  add_choice(line, "--split", options->split, {"test", "validation", "train", "all"},
             "Which files of it (default: test, if there are any)");
  add_setting(line, &Request::json, options->json, "Write JSON");
  add_form_options(line, options->model);
  add_setting(line, &Request::batch_size, options->batch_size, "Files that share the threads (default: 64)");
  add_texts(line, kCorruptOption, options->corrupt, "KIND:LEVELS",
            "Also judge files that are damaged in this way, at these levels");
  add_flag(line, kCorruptSourceOption, options->corrupt_source,
           "Damage the files themselves, before they are prepared, not what the model reads");
  add_setting(line, &Request::seed, options->seed, "Seed of the damage (default: 0)");
  add_text(line, kReportOption, options->report, "PAGE.html",
           base::joined("Also write the curves of ", kCorruptOption, " as a page"));
  add_force(line, options->force, "Overwrite the page if it exists");
  add_setting(line, &Request::no_progress, options->no_progress, "No progress bar");
  line.details = kDetails;
  return [options](Console& console) { return eval(*options, console); };
}

}  // namespace byteformer::cli
