// `byteformer classify`: what files are, from their bytes.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "classify/inputs.hpp"
#include "classify/report.hpp"
#include "classify/sample_classifier.hpp"
#include "classify/shards.hpp"
#include "commands/commands.hpp"
#include "common/interrupt.hpp"
#include "format/model_folder.hpp"
#include "output/output_files.hpp"
#include "output/text.hpp"
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
  byteformer classify -m models/cifar10 --jsonl --tar 'shards/data-{000..099}.tar'

Many machines: with --shard I/N each of N tasks answers its share of the inputs, chosen by a hash of their paths as they are
given, and writes it to DIR/shard-0000I-of-0000N.jsonl, which is there when it is whole. A share that is there is not
answered again. `auto` takes I and N from the environment of an array job of Slurm, of mpirun or of srun, `auto/N` only I,
also from an Indexed Job of Kubernetes. An archive that --tar opens is one input here. `byteformer gather DIR` joins the answers.
  byteformer classify -m MODEL --files-from names.txt --shard 3/16 --output-dir answers

JSON:
  {"path","status":"ok","bytes","tokens","predictions":[{"label","index","score"}]}
  {"path","status":"error","error":{"code","message"}}

"bytes" is what the model read; a file that was prepared also has "prepared": true. A prediction also has "media_type",
"group", "extensions", "aliases" where the model knows them. With --logits and --features an answer also has these lists
of numbers. All numbers read back to the same float32. Below --threshold the predictions begin with the label "unknown",
index -1 and the best score. A byte 0xNN of a path that is not UTF-8 is written as \xNN, and so is a backslash (\x5c) where the path would otherwise read
like that: what stands for \xNN, byte by byte, gives the same path back.)";

constexpr std::int64_t kDefaultTopK = ReportForm{}.top_k;

struct Options {
  ModelOptions model;
  InputArguments inputs;
  std::optional<std::int64_t> top_k, batch_size;
  std::optional<double> threshold;
  std::optional<std::string> shard, output_dir;
  bool logits = false, features = false, json = false, jsonl = false;
  bool no_progress = false;
};

void check(const Options& options, const Console& console) {
  if (options.inputs.paths.empty() && !options.inputs.files_from)
    throw UsageError("no files given; `-` reads standard input");
  check(options.inputs, console);
  if (options.shard.has_value() != options.output_dir.has_value())
    throw UsageError(std::string(kShardOption) + " and --output-dir need each other");
  if (options.shard && std::ranges::find(options.inputs.paths, "-") != options.inputs.paths.end())
    throw UsageError("`-` has no path that would say in which shard it is");
  if (options.features && !options.json && !options.jsonl && !options.shard)
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
      if (are_files.back()) samples.push_back(input.sample());
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

/// What became of the inputs so far.
struct Tally {
  std::size_t num_done = 0, num_failed = 0, num_prepared = 0;

  int status() const noexcept { return num_failed > 0 ? kExitInputFailed : kExitOk; }
};

/// Answers batch after batch, until there are no more inputs or Ctrl-C comes. \param take gets the reports of each
Tally answer_all(Inputs& inputs, const Reporter& reporter, const Options& options,
                 const std::function<void(const std::vector<Report>& reports, const Tally& so_far)>& take) {
  const auto batch_size = static_cast<std::size_t>(options.batch_size.value_or(kDefaultBatchSize));
  Tally tally;
  try {
    while (!interrupted()) {
      const std::vector<Input> batch = inputs.next_batch(batch_size);
      if (batch.empty()) break;
      const std::vector<Report> reports = reporter.classify(batch);
      tally.num_done += batch.size();
      for (const Report& report : reports) {
        tally.num_failed += report.error ? 1 : 0;
        tally.num_prepared += report.was_prepared ? 1 : 0;
      }
      take(reports, tally);
    }
  } catch (const Interrupted&) {  // while standard input was awaited, or a large file was read
  }
  return tally;
}

int classify_all(const Options& options, Console& console) {
  Inputs inputs = open_inputs(options.inputs, console);
  watch_for_interrupt();
  const Classifier classifier = options.model.load();
  const format::ModelConfig config = format::read_config(*options.model.dir);
  const Reporter reporter(options, classifier, config, console.in);
  const std::unique_ptr<ReportWriter> writer = make_writer(options, classifier, console);
  ProgressBar progress(console, inputs.total(), !options.no_progress && !console.out_is_terminal);
  const Tally tally = answer_all(inputs, reporter, options, [&](const auto& reports, const Tally& so_far) {
    if (so_far.num_failed > 0) progress.clear();
    writer->write(reports);
    progress.show(so_far.num_done);
  });
  writer->finish();
  progress.clear();
  console.out.flush();  // so that on a terminal the remark follows the answers
  if (tally.num_prepared > 0) complain(console, reporter.remark(tally.num_prepared));
  if (interrupted()) return kExitInterrupted;
  if (tally.num_done == 0) complain(console, "no files found to classify");
  return tally.status();
}

/// The options that decide what an answer says.
std::string deciding_options(const Options& options) {
  std::string text = fmt::format("--top-k {}", options.top_k.value_or(kDefaultTopK));
  if (options.threshold) text += fmt::format(" --threshold {}", *options.threshold);
  if (options.inputs.is_recursive) text += base::joined(" ", kRecursiveOption);
  if (options.inputs.opens_archives) text += base::joined(" ", kTarOption);
  if (options.logits) text += " --logits";
  if (options.features) text += " --features";
  if (options.model.as_is) text += base::joined(" ", kAsIsOption);
  if (options.model.masking) text += " " + plan::option_name(&plan::Request::masking) + " " + *options.model.masking;
  if (options.model.precision)
    text += " " + plan::option_name(&plan::Request::precision) + " " + *options.model.precision;
  return text;
}

/// Says how far a shard is: in logs of jobs a line per minute, on a terminal the bar.
class ShardProgress {
 public:
  ShardProgress(const Shard& shard, bool enabled, Console& console)
      : shard_(shard), console_(console), logs_(enabled && !console.err_is_terminal), bar_(console, {}, enabled) {}

  void show(const Tally& tally) {
    bar_.show(tally.num_done);
    const Clock::time_point now = Clock::now();
    if (!logs_ || now < next_) return;
    next_ = now + kInterval;
    say(tally);
  }

  void finish(const Tally& tally) {
    bar_.clear();
    say(tally);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kInterval = std::chrono::minutes(1);

  void say(const Tally& tally) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    complain(console_, fmt::format("{}: {}, {}, {:.1f} files/s", shard_.description(), counted(tally.num_done, "file"),
                                   counted(tally.num_failed, "error"), static_cast<double>(tally.num_done) / seconds));
  }

  const Shard& shard_;
  Console& console_;
  bool logs_;
  ProgressBar bar_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_ + kInterval;
};

/// Answers the inputs of a shard into a file that is there when all of them are answered.
/// \throws Interrupted; Error where the file cannot be written, kAlreadyExists where another task was quicker.
Tally write_shard(const Options& options, const Shard& shard, const std::filesystem::path& file, Console& console) {
  // A walk may come into the folder of the answers.
  const OutputFolder answers(*options.output_dir);
  const auto takes = [&](std::string_view path) {
    return shard.takes(path) && !(options.inputs.is_recursive && answers.holds(std::filesystem::path(path)));
  };
  Inputs inputs = open_inputs(options.inputs, console, takes);
  watch_for_interrupt({SIGINT, SIGTERM});  // SIGTERM is what a job gets that has to make room
  const Classifier classifier = options.model.load();
  const format::ModelConfig config = format::read_config(*options.model.dir);
  const Reporter reporter(options, classifier, config, nullptr);
  ShardProgress progress(shard, !options.no_progress, console);
  Tally tally;
  const auto write = [&](const std::function<void(std::span<const std::byte>)>& append) {
    tally = answer_all(inputs, reporter, options, [&](const std::vector<Report>& reports, const Tally& so_far) {
      std::string lines;
      for (const Report& report : reports) lines += to_json(report) + "\n";
      append(std::as_bytes(std::span(lines)));
      progress.show(so_far);
    });
    if (interrupted()) throw Interrupted{};
  };
  base::write_file_atomically(file, write, {.replaces = false});
  progress.finish(tally);
  return tally;
}

/// What is said of a shard that is there already.
int report_finished_shard(const Shard& shard, const std::filesystem::path& file, Console& console) {
  const AnswerCount count = read_shard(file);
  complain(console, fmt::format("{} is done already: {} in {}", shard.description(), count.description(),
                                base::printable(file)));
  return count.num_errors > 0 ? kExitInputFailed : kExitOk;
}

int classify_shard(const Options& options, Console& console) {
  const Shard shard = parse_shard(*options.shard, [](const char* name) { return std::getenv(name); });
  const std::filesystem::path folder = *options.output_dir;
  const std::filesystem::path file = folder / shard.file_name();
  join_job(folder, shard, *options.model.dir, deciding_options(options));
  if (base::exists(file)) return report_finished_shard(shard, file, console);
  try {
    const Tally tally = write_shard(options, shard, file, console);
    remove_leftovers(file);
    return tally.status();
  } catch (const Error&) {
    if (!base::exists(file)) throw;
    return report_finished_shard(shard, file, console);  // another task of this index was quicker
  }
}

int classify(Options& options, Console& console) {
  check(options, console);
  if (!options.model.dir) options.model.dir = default_model();
  return options.shard ? classify_shard(options, console) : classify_all(options, console);
}

}  // namespace

Action add_classify(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model, " (default: BYTEFORMER_MODEL, or models/file-types)");
  add_input_arguments(line, options->inputs, "Classify", "Files to classify; `-` is standard input");
  add_archive_argument(line, options->inputs);
  add_number(line, "-k,--top-k", options->top_k, {1, 1'000'000}, "Most likely classes to show (default: 5)");
  add_decimal(line, "--threshold", options->threshold, 0, 1,
              "Say `unknown` where the best score is below T (0 to 1; default: the model's)", "T");
  const Option& json = add_setting(line, &plan::Request::json, options->json, "Write one JSON array");
  add_flag(line, "--jsonl", options->jsonl, "Write one JSON object per line").excludes(json);
  add_text(line, kShardOption, options->shard, "I/N",
           "Answer the share I (from 0 on) of N, or `auto` or `auto/N` as a launcher says; needs --output-dir")
      .excludes(json);
  add_text(line, "--output-dir", options->output_dir, "DIR", "Folder of the shards of a job; made if it is missing");
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
