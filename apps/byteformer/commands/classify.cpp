// `byteformer classify`: what files are, from their bytes.
#include <memory>

#include "classify/inputs.hpp"
#include "classify/report.hpp"
#include "classify/reporter.hpp"
#include "cli.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "exit_status.hpp"
#include "format/model_folder.hpp"
#include "obfuscation/model_keys.hpp"
#include "output/progress_bar.hpp"
#include "prepare/preprocess.hpp"

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

constexpr std::int64_t kDefaultTopK = 5;
constexpr std::int64_t kDefaultBatchSize = 64;

struct Options {
  ModelOptions model;
  InputArguments inputs;
  std::vector<std::string> keys;
  std::optional<std::int64_t> top_k, batch_size;
  std::optional<float> threshold;
  bool logits = false, features = false, json = false, jsonl = false;
  bool as_is = false, no_progress = false;
};

void check(const Options& options, const Console& console) {
  if (options.inputs.paths.empty() && !options.inputs.files_from)
    throw UsageError("no files given; `-` reads standard input");
  check(options.inputs, console);
  if (options.features && !options.json && !options.jsonl) throw UsageError("--features needs --json or --jsonl");
}

std::unique_ptr<ReportWriter> make_writer(const Options& options, const Reporter& reporter, Console& console) {
  if (options.json) return make_json_array_writer(console);
  if (options.jsonl) return make_json_lines_writer(console);
  TableForecast forecast{.labels = reporter.labels()};
  if (!options.inputs.is_recursive) forecast.paths = options.inputs.paths;
  return make_table_writer(console, forecast);
}

int classify_all(const Options& options, Inputs& inputs, const Reporter& reporter, Console& console) {
  const std::unique_ptr<ReportWriter> writer = make_writer(options, reporter, console);
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

int classify(Options& options, Console& console) {
  check(options, console);
  if (!options.model.dir) options.model.dir = default_model();
  std::optional<InputStream> list_file;
  Inputs inputs = open_inputs(options.inputs, list_file, console);
  watch_for_interrupt();
  const Classifier classifier = load_classifier(options.model);
  const prepare::Preprocess preprocess =
      options.as_is ? prepare::Preprocess() : read_preprocess(options.model.dir.value(), options.keys, kAsIsHint);
  const format::ModelConfig config = format::read_config(*options.model.dir);
  const ReportOptions wanted{
      .top_k = static_cast<int>(options.top_k.value_or(kDefaultTopK)),
      .threshold = options.threshold.value_or(static_cast<float>(config.unknown_below.value_or(0))),
      .with_logits = options.logits,
      .with_features = options.features,
      .label_info = config.label_info};
  return classify_all(options, inputs, Reporter(classifier, wanted, console.in, preprocess), console);
}

}  // namespace

Action add_classify(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model, ModelNeed::kHasDefault);
  add_input_arguments(line, options->inputs, "Classify", "Files to classify; `-` is standard input");
  add_number(line, "-k,--top-k", options->top_k, {1, 1'000'000}, "Most likely classes to show (default: 5)");
  add_fraction(line, "--threshold", options->threshold, "T",
               "Say `unknown` where the best score is below T (0 to 1; default: the model's)");
  const DeclaredOption json = add_flag(line, "--json", options->json, "Write one JSON array");
  add_flag(line, "--jsonl", options->jsonl, "Write one JSON object a line").excludes(json);
  add_flag(line, "--logits", options->logits, "Add the logits: before temperature and softmax");
  add_flag(line, "--features", options->features, "Add the features: the mean vector before the head (JSON only)");
  const DeclaredOption as_is =
      add_flag(line, "--as-is", options->as_is, "Read the bytes as they are, even if the model expects another form");
  add_key_option(line, options->keys).excludes(as_is);
  add_number(line, "-b,--batch-size", options->batch_size, {1, 1'000'000},
             "Files that share the threads and are answered together (default: 64); 1: each file on all threads");
  add_flag(line, "--no-progress", options->no_progress, "No progress bar");
  set_details(line, kDetails);
  return [options](Console& console) { return classify(*options, console); };
}

}  // namespace byteformer::cli
