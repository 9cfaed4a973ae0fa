// `byteformer classify`: what files are, from their bytes.
#include <cstdlib>
#include <filesystem>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_io.hpp"
#include "classify/inputs.hpp"
#include "classify/report.hpp"
#include "classify/sample_classifier.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "format/model_folder.hpp"
#include "system/input_stream.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(Answers come in the order of the inputs. A file that cannot be classified costs one line (on standard
error, or in the JSON) and exit status 1; the others are answered.

A model of pictures or sounds says what its files look like. A file that is not in that form, but a picture or
sound that can be decoded, is prepared first: decoded, resized or resampled, and encoded as the model expects.
With --as-is the model reads the bytes of every file as they are.

A model that `byteformer obfuscate rekey` made reads obfuscated bytes: give it obfuscated files with --as-is, or plain
ones with --key, which are prepared and obfuscated first.

Without --model, BYTEFORMER_MODEL names the model, else it is models/file-types beside the program, where that is.

Examples:
  byteformer classify --model models/cifar10 photo.jpg
  byteformer classify --model models/cifar10 -r photos/ --top-k 1
  curl -s https://example.org/photo.jpg | byteformer classify --model models/cifar10 -
  find . -name '*.png' -print0 | byteformer classify -m models/cifar10 -0 --files-from -
  byteformer classify -m models/cifar10 --jsonl --logits *.jpg | jq .predictions[0]

JSON:
  {"path","status":"ok","bytes","tokens","predictions":[{"label","index","score"}]}
  {"path","status":"error","error":{"code","message"}}

"bytes" is what the model read; a file that was prepared also has "prepared": true. A prediction also has "media_type",
"group" and "extensions" where the model knows them. With --logits and --features an answer also has these lists of
numbers. All numbers read back to the same float32. Below --threshold the predictions begin with the label "unknown",
index -1 and the best score. A byte 0xNN of a path that is not UTF-8 is written as \xNN, and so is a backslash (\x5c) where the path would otherwise read
like that: what stands for \xNN, byte by byte, gives the same path back.)";

constexpr std::int64_t kDefaultTopK = ReportForm{}.top_k;

struct Options {
  ModelOptions model;
  InputArguments inputs;
  std::optional<std::int64_t> top_k, batch_size;
  std::optional<double> threshold;
  bool logits = false, features = false, json = false, jsonl = false;
  bool no_progress = false;
};

void check(const Options& options, const Console& console) {
  if (options.inputs.paths.empty() && !options.inputs.files_from)
    throw UsageError("no files given; `-` reads standard input");
  check(options.inputs, console);
  if (options.features && !options.json && !options.jsonl)
    throw UsageError("--features needs " + plan::option_name(&plan::Request::json) + " or --jsonl");
}

/// Reads inputs, classifies them and says what was asked for.
class Reporter {
 public:
  /// `standard_input` may be null where no input is standard input. All references must outlive this.
  Reporter(const Options& options, const Classifier& classifier, const format::ModelConfig& config,
           std::istream* standard_input)
      : options_(options),
        classifier_(classifier),
        config_(config),
        standard_input_(standard_input),
        files_(classifier, options.model.preprocess()) {}

  /// One report per input, in their order; the files share the threads. Reports point into this object.
  /// \throws Interrupted while standard input is read or a large file streams.
  std::vector<Report> classify(const std::vector<Input>& batch) const {
    std::vector<data::Sample> samples;
    std::vector<bool> are_files;
    for (const Input& input : batch) {
      are_files.push_back(!input.error && !input.is_standard_input && !must_be_streamed(input.path));
      if (are_files.back()) samples.push_back({.path = input.path, .start_s = {}, .duration_s = {}});
    }
    std::vector<FileAnswer> answers = files_.classify(samples);
    auto next_answer = answers.begin();
    std::vector<Report> reports;
    for (std::size_t i = 0; i < batch.size(); ++i)
      reports.push_back(report(batch[i].path, batch[i].error ? FileAnswer{*batch[i].error}
                                              : are_files[i] ? std::move(*next_answer++)
                                                             : classify_stream_of(batch[i])));
    return reports;
  }

  /// What a person should know of the files that were prepared, `num_prepared` of them.
  std::string remark(std::size_t num_prepared) const { return files_.remark(num_prepared); }

 private:
  FileAnswer classify_stream_of(const Input& input) const {
    if (input.is_standard_input) return files_.classify(pieces_of(*standard_input_), "-");
    try {
      InputStream stream(input.path);
      return files_.classify(pieces_of(stream), base::printable(input.path));
    } catch (const UsageError& error) {  // of one file among many
      return {Error(ErrorCode::kIo, error.what())};
    }
  }

  Report report(const std::string& path, FileAnswer answer) const {
    const ReportForm form{static_cast<int>(options_.top_k.value_or(kDefaultTopK)), options_.threshold, options_.logits,
                          options_.features};
    return make_report(path, std::move(answer.result), answer.was_prepared, classifier_, config_, form);
  }

  const Options& options_;
  const Classifier& classifier_;
  const format::ModelConfig& config_;
  std::istream* standard_input_;
  SampleClassifier files_;
};

std::unique_ptr<ReportWriter> make_writer(const Options& options, const Classifier& classifier, Console& console) {
  if (options.json) return make_json_array_writer(console);
  if (options.jsonl) return make_json_lines_writer(console);
  TableForecast forecast{.labels = classifier.labels()};
  if (!options.inputs.is_recursive) forecast.paths = options.inputs.paths;
  return make_table_writer(console, forecast);
}

/// The model where none is named: BYTEFORMER_MODEL, else the one that tells file types, in the source tree that this
/// program was built in or installed with it.
/// \throws UsageError where there is none.
std::string default_model() {
  if (const char* named = std::getenv("BYTEFORMER_MODEL"); named != nullptr && *named != '\0') return named;
  const std::filesystem::path model = format::shipped_models() / "file-types";
  if (base::exists(model)) return model.native();
  throw UsageError(base::joined(
      kModelOption,
      " is required: models/file-types is not found beside this program, and BYTEFORMER_MODEL is not set"));
}

int classify(Options& options, Console& console) {
  check(options, console);
  if (!options.model.dir) options.model.dir = default_model();
  Inputs inputs = open_inputs(options.inputs, console);
  watch_for_interrupt();
  const Classifier classifier = options.model.load();
  const format::ModelConfig config = format::read_config(*options.model.dir);
  const Reporter reporter(options, classifier, config, console.in);
  const std::unique_ptr<ReportWriter> writer = make_writer(options, classifier, console);
  ProgressBar progress(console, inputs.total(), !options.no_progress && !console.out_is_terminal);
  const auto batch_size = static_cast<std::size_t>(options.batch_size.value_or(kDefaultBatchSize));
  std::size_t num_done = 0;
  std::size_t num_prepared = 0;
  int status = kExitOk;
  try {
    while (!interrupted()) {
      const std::vector<Input> batch = inputs.next_batch(batch_size);
      if (batch.empty()) break;
      const std::vector<Report> reports = reporter.classify(batch);
      for (const Report& report : reports) {
        if (report.error) status = kExitInputFailed;
        num_prepared += report.was_prepared ? 1 : 0;
      }
      if (status != kExitOk) progress.clear();
      writer->write(reports);
      progress.show(num_done += batch.size());
    }
  } catch (const Interrupted&) {  // while standard input was awaited
  }
  writer->finish();
  progress.clear();
  console.out.flush();  // so that on a terminal the remark follows the answers
  if (num_prepared > 0) complain(console, reporter.remark(num_prepared));
  if (interrupted()) return kExitInterrupted;
  if (num_done == 0) complain(console, "no files found to classify");
  return status;
}

}  // namespace

Action add_classify(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model, " (default: BYTEFORMER_MODEL, or models/file-types)");
  add_input_arguments(line, options->inputs, "Classify", "Files to classify; `-` is standard input");
  add_number(line, "-k,--top-k", options->top_k, {1, 1'000'000}, "Most likely classes to show (default: 5)");
  add_decimal(line, "--threshold", options->threshold, 0, 1,
              "Say `unknown` where the best score is below T (0 to 1; default: the model's)", "T");
  const Option& json = add_setting(line, &plan::Request::json, options->json, "Write one JSON array");
  add_flag(line, "--jsonl", options->jsonl, "Write one JSON object per line").excludes(json);
  add_flag(line, "--logits", options->logits, "Add the logits: before temperature and softmax");
  add_flag(line, "--features", options->features, "Add the features: the mean vector before the head (JSON only)");
  add_form_options(line, options->model);
  add_setting(line, &plan::Request::batch_size, options->batch_size,
              "Files that share the threads and are answered together (default: 64); 1: each file on all threads");
  add_setting(line, &plan::Request::no_progress, options->no_progress, "No progress bar");
  line.details = kDetails;
  return [options](Console& console) { return classify(*options, console); };
}

}  // namespace byteformer::cli
