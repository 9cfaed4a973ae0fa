// `byteformer eval`: how often a model is right about labelled files.
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "byteformer/error.hpp"
#include "classify/sample_classifier.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "data/data_set.hpp"
#include "data/trained_split.hpp"
#include "evaluation/evaluation.hpp"
#include "exit_status.hpp"
#include "format/model_folder.hpp"
#include "obfuscation/model_keys.hpp"
#include "options.hpp"
#include "output/numbers.hpp"
#include "output/progress_bar.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(DATA is what `byteformer train` takes: a folder with a folder of files for each class, one with train/, val/ and
test/ of such folders, a manifest (CSV or JSON lines of path and label), or Speech Commands. Its classes must be
among the model's. Without --split the test set is used; where there is none, the validation set (also the files that
the model's own training held out); where there is none either, all files.

Pictures and sounds are prepared as the model expects them, as `byteformer classify` does. A file that cannot be
classified is listed (on standard error, or in the JSON), counted in no figure, and means exit status 1.

Examples:
  byteformer eval --model models/mine --data photos/
  byteformer eval --model models/mine --data photos/ --split validation
  byteformer eval --model models/mine --data test.csv --json | jq .top1

JSON:
  {"model","data","split","samples","top1","top5","loss","calibration_error","labels",
   "per_class":[{"label","samples","recall","precision"}],"confusion":[[files]],
   "failures":[{"path","code","message"}]}

Fractions are from 0 to 1. Row i, column j of "confusion" counts files of class i that the model took for class
j. "loss" is the mean cross entropy; "calibration_error" is how far the scores (with the model's temperature) are
from the accuracy, over 15 bins.)";

constexpr std::int64_t kDefaultBatchSize = 64;

struct Options {
  ModelOptions model;
  std::optional<std::string> data, split;
  std::vector<std::string> keys;
  std::optional<std::int64_t> batch_size;
  bool json = false, as_is = false, no_progress = false;
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

/// Files that a model was trained on judge it too kindly: of these only those count that were held out.
std::optional<data::DataSet> find_as_trained(const Options& options, Console& console) {
  std::optional<data::DataSet> data_set = data::find_as_trained(*options.model.dir, *options.data);
  if (data_set && !options.split && data_set->test.empty() && !data_set->validation.empty())
    console.err << "byteformer: note: the model was trained on these files; it is judged by the " +
                       counted(static_cast<std::int64_t>(data_set->validation.size()), "file") +
                       " held out for validation (--split all takes all)\n"
                << std::flush;
  return data_set;
}

data::DataSet find_data(const Options& options, const Classifier& classifier, Console& console) {
  if (std::optional<data::DataSet> data_set = find_as_trained(options, console)) return std::move(*data_set);
  data::DataSetOptions find;
  find.classes = classifier.labels();
  find.split_validation = false;
  find.needs_training_files = false;
  data::DataSet data_set = data::find_data_set(*options.data, find);
  for (const std::string& remark : data_set.remarks) console.err << "byteformer: note: " + remark + "\n";
  console.err.flush();
  return data_set;
}

/// Classifies `samples` and gathers answers and failures; stops early where it is interrupted.
class Examination {
 public:
  Examination(const SampleClassifier& classifier, std::size_t num_classes, Console& console, const Options& options)
      : classifier_(classifier), console_(console), options_(options) {
    answers_.num_classes = num_classes;
  }

  void run(std::span<const data::Sample> samples) {
    ProgressBar progress(console_, samples.size(), !options_.no_progress);
    const auto batch_size = static_cast<std::size_t>(options_.batch_size.value_or(kDefaultBatchSize));
    for (std::size_t begin = 0; begin < samples.size() && !interrupted(); begin += batch_size) {
      const auto batch = samples.subspan(begin, std::min(batch_size, samples.size() - begin));
      const std::vector<FileAnswer> answers = classifier_.classify(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) take(batch[i], answers[i], progress);
      progress.show(begin + batch.size());
    }
  }

  const data::Answers& answers() const { return answers_; }
  const std::vector<Failure>& failures() const { return failures_; }
  std::size_t num_prepared() const { return num_prepared_; }

 private:
  void take(const data::Sample& sample, const FileAnswer& answer, ProgressBar& progress) {
    num_prepared_ += answer.was_prepared ? 1 : 0;
    if (const Output* output = std::get_if<Output>(&answer.result)) return answers_.add(output->logits, sample.label);
    const Error& error = std::get<Error>(answer.result);
    failures_.push_back({sample.path.native(), error});
    if (options_.json) return;
    progress.clear();
    console_.err << "byteformer: " + std::string(error.what()) + "\n" << std::flush;
  }

  const SampleClassifier& classifier_;
  Console& console_;
  const Options& options_;
  data::Answers answers_;
  std::vector<Failure> failures_;
  std::size_t num_prepared_ = 0;
};

int eval(const Options& options, Console& console) {
  watch_for_interrupt();
  const std::string& dir = options.model.dir.value();
  const Classifier classifier = load_classifier(options.model);
  const data::Preprocess preprocess =
      options.as_is ? data::Preprocess() : read_preprocess(dir, options.keys, kAsIsHint);
  const SampleClassifier files(classifier, preprocess);
  const Split split = choose_split(find_data(options, classifier, console), options);
  Examination examination(files, classifier.labels().size(), console, options);
  examination.run(split.samples);
  if (examination.num_prepared() > 0)
    console.err << "byteformer: " + files.remark(examination.num_prepared()) + "\n" << std::flush;
  if (interrupted()) return kExitInterrupted;
  const Evaluation evaluation{dir,
                              *options.data,
                              split.name,
                              classifier.labels(),
                              data::measure(examination.answers(), format::read_config(dir).temperature),
                              examination.failures()};
  console.out << (options.json ? evaluation_json(evaluation) : evaluation_text(evaluation, console));
  return evaluation.failures.empty() ? kExitOk : kExitInputFailed;
}

}  // namespace

Action add_eval(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_model_options(app, options->model);
  add_text(app, "-d,--data", options->data, "DATA", "Labelled files: a folder or a manifest").required();
  add_choice(app, "--split", options->split, {"test", "validation", "train", "all"},
             "Which files of it (default: test, if there are any)");
  add_flag(app, "--json", options->json, "Write JSON");
  const DeclaredOption as_is =
      add_flag(app, "--as-is", options->as_is, "Read the bytes as they are, even if the model expects another form");
  add_key_option(app, options->keys).excludes(as_is);
  add_number(app, "-b,--batch-size", options->batch_size, {1, 1'000'000}, "Files that share the threads (default: 64)");
  add_flag(app, "--no-progress", options->no_progress, "No progress bar");
  set_details(app, kDetails);
  return [options](Console& console) { return eval(*options, console); };
}

}  // namespace byteformer::cli
