// `byteformer explain`: which bytes of a file decided.
#include <algorithm>
#include <memory>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "classify/sample_classifier.hpp"
#include "commands/commands.hpp"
#include "common/gradient_messages.hpp"
#include "common/interrupt.hpp"
#include "explain/explanation.hpp"
#include "output/output_files.hpp"
#include "system/external_program.hpp"

namespace byteformer::cli {
namespace {

constexpr const char* kDetails =
    R"(A byte's heat says how much it speaks for the class: for the answer, or for --label. Two methods:

occlusion slides a window over the bytes and removes those under it: nothing stands there any more, and all others
keep their places (or --fill puts a value there). A window's heat is what the class loses, a byte's heat the mean of
the windows that hold it. Only the windows of attention that a removed byte reaches are computed again, so the numbers
are those of whole runs, to the bit, for less.

integrated-gradients follows the gradients on the straight way from no bytes to the file, in embedding space, and
needs byteformer-train. The heat of all bytes adds up to the difference between both ends.

Heat is in log-odds, ln(score / (1 - score)), which grow with the score and do not saturate. The answer without the
hottest tenth of the bytes, and without random tenths, tells what the ranking is worth.

A file is prepared as `byteformer classify` does; heat is shown on the file in the form that the model expects.

Examples:
  byteformer explain --model models/cifar10 photo.jpg
  byteformer explain -m models/spoken-digits examples/data/spoken_3.wav --html why.html
  byteformer explain -m models/mnist examples/data/handwritten_3.png --label 8 --span 84
  byteformer explain -m models/mnist 7.png --method integrated-gradients --json

JSON:
  {"path","bytes","tokens","prepared"?,"label","index","score","of","value",
   "method",...,"deletion":{...},"heat":[...]}
  occlusion has "span","step","fill","rows_computed","rows_of_whole_runs",
   "windows":[{"begin","end","fall","score"}]
  integrated-gradients has "steps","value_without_bytes","sum_of_heat"
  "deletion" has "bytes","run","score","score_without_hottest","answer_without_hottest",
   "score_without_random_runs","score_without_random_bytes"

"value" is the explained quantity of the whole file, "heat" has one number for each byte of the file in the model's
form, null where a transform keeps a byte from the model; windows are positions in the bytes as the model reads them.
"score_without_random_runs" is the mean of eight draws of runs of "run" bytes, the other one of single bytes.)";

constexpr std::int64_t kDefaultSteps = 128;
constexpr std::int64_t kDefaultRows = 16;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;
constexpr const char* kGradients = "integrated-gradients";

using plan::Request;

struct Options {
  ModelOptions model;
  std::optional<std::string> path, label, method, quantity, html;
  std::optional<std::int64_t> span, step, fill, steps, rows;
  bool json = false, force = false, no_progress = false;

  bool uses_gradients() const { return method && *method == kGradients; }
};

void check(const Options& options, const Console& console) {
  if (!options.path) throw UsageError("no file given; `-` reads standard input");
  if (*options.path == "-" && console.in == nullptr) throw UsageError("standard input is closed");
  if (options.uses_gradients() && (options.span || options.step || options.fill))
    throw UsageError("--span, --step and --fill belong to --method occlusion");
  if (!options.uses_gradients() && options.steps)
    throw UsageError(plan::option_name(&Request::steps) + " belongs to --method integrated-gradients");
  if (options.uses_gradients() && options.model.precision.value_or("float32") != "float32")
    throw UsageError("--method integrated-gradients computes in float32; leave " +
                     plan::option_name(&Request::precision) + " out");
  if (options.json && options.rows)
    throw UsageError("--rows belongs to the hex dump, which " + plan::option_name(&Request::json) + " leaves out");
  if (options.span && options.step && *options.step > *options.span)
    throw UsageError("--step must not exceed --span: some bytes would never be removed");
}

void check_label(const std::string& label, const std::vector<std::string>& labels) {
  if (std::ranges::find(labels, label) != labels.end()) return;
  throw UsageError(
      "the model has no class `" + base::printable(label) + "`" +
      base::did_you_mean(label, labels, "; `byteformer classify --top-k 1000` shows those that it has"));
}

/// The class called `label`; of several the likeliest.
int likeliest(const std::string& label, const std::vector<std::string>& labels, std::span<const float> logits) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] == label && (!best || logits[i] > logits[*best])) best = i;
  return static_cast<int>(best.value());
}

/// One explanation, step by step.
class Explainer {
 public:
  Explainer(const Options& options, Console& console)
      : options_(options), console_(console), classifier_(options.model.load()) {
    if (options.label) check_label(*options.label, classifier_.labels());
    if (options.quantity == "logit") explain_.quantity = Quantity::kLogit;
    explain_.span = static_cast<std::uint64_t>(options.span.value_or(0));
    explain_.step = static_cast<std::uint64_t>(options.step.value_or(0));
    if (options.fill) explain_.removal.fill = static_cast<std::uint8_t>(*options.fill);
  }

  int run() {
    const prepare::Preprocess preprocess = options_.model.preprocess();
    std::optional<ExplainedFile> file;
    std::optional<Occluder> occluder;
    const auto error = error_of([&] {
      file = open_explained_file(*options_.path, preprocess, console_.in);
      occluder.emplace(classifier_, file->read);
    });
    if (error) {
      complain(console_, base::about(*options_.path, *error));
      return kExitInputFailed;
    }
    if (options_.label)
      explain_.label = likeliest(*options_.label, classifier_.labels(), occluder->output().logits);
    show(*file, *occluder);
    return kExitOk;
  }

 private:
  void show(const ExplainedFile& file, const Occluder& occluder) const {
    const Attribution attribution = options_.uses_gradients() ? by_gradients(occluder, file) : by_occlusion(occluder);
    const std::uint64_t run_bytes =
        attribution.occlusion ? attribution.occlusion->span : static_cast<std::uint64_t>(classifier_.kernel_size());
    RemovalOptions removal = explain_.removal;
    removal.keep_going = [](std::size_t, std::size_t) { return !interrupted(); };
    const auto check = check_by_deletion(occluder, attribution, run_bytes, removal);
    if (!check) throw Interrupted{};
    write({*options_.model.dir, classifier_, file, attribution, *check, explain_.removal.fill, occluder.num_rows()});
  }

  Attribution by_occlusion(const Occluder& occluder) const {
    std::optional<ProgressBar> bar;
    ExplainOptions options = explain_;
    options.removal.keep_going = [&](std::size_t num_done, std::size_t total) {
      if (!bar) bar.emplace(console_, total, !options_.no_progress, "window");
      bar->show(num_done);
      return !interrupted();
    };
    std::optional<Explanation> explanation;
    try {
      explanation = explain(occluder, options);
    } catch (const Error& error) {  // a span that this file is too short for
      throw base::about(*options_.path, error);
    }
    if (!explanation || interrupted()) throw Interrupted{};
    Attribution attribution{explanation->label, explain_.quantity, explanation->value, explanation->heat, {}, {}};
    attribution.occlusion = std::move(explanation);
    return attribution;
  }

  Attribution by_gradients(const Occluder& occluder, const ExplainedFile& file) const {
    const int label = explain_.label.value_or(classifier_.top_k(occluder.output(), 1).front().index);
    const double value = value_of(classifier_, occluder.output(), label, explain_.quantity);
    GradientRequest request{.masking = options_.model.masking.value_or(""),
                            .label = label,
                            .of_logit = explain_.quantity == Quantity::kLogit,
                            .steps = options_.steps.value_or(kDefaultSteps),
                            .threads = classifier_.num_threads(),
                            .shows_progress = console_.err_is_terminal && !options_.no_progress};
    const std::filesystem::path trainer =
        find_trainer("integrated gradients need", "; or use --method occlusion, which needs nothing else");
    GradientAnswer answer = parse_gradient_answer(
        run_filter(trainer, {kIntegratedGradients, to_json(request), *options_.model.dir}, file.read));
    if (answer.heat.size() != file.read.size())
      throw Error(ErrorCode::kInternal, "byteformer-train answered for another number of bytes than it was given");
    return {
        label, explain_.quantity, value, std::move(answer.heat), {}, GradientPath{request.steps, answer.value_without}};
  }

  void write(const ExplanationReport& report) const {
    if (options_.html)
      base::write_file_atomically(*options_.html, explanation_page(report), {.replaces = options_.force});
    if (options_.json) {
      console_.out << explanation_json(report);
    } else {
      console_.out << explanation_text(report, static_cast<std::size_t>(options_.rows.value_or(kDefaultRows)),
                                       console_);
    }
  }

  const Options& options_;
  Console& console_;
  Classifier classifier_;
  ExplainOptions explain_;
};

int explain_file(const Options& options, Console& console) {
  check(options, console);
  if (options.html) {
    check_overwriting(*options.path == "-" ? "" : *options.path, *options.html, options.force);
    refuse_to_replace(*options.html, files_of_model(options.model.dir.value()));
    refuse_to_replace(*options.html, {options.model.keys.begin(), options.model.keys.end()});
  }
  watch_for_interrupt();
  return Explainer(options, console).run();
}

}  // namespace

Action add_explain(CommandLine& line) {
  auto options = std::make_shared<Options>();
  add_model_options(line, options->model);
  add_text(line, "FILE", options->path, "FILE", "File to explain; `-` is standard input");
  add_text(line, "--label", options->label, "CLASS", "Class to explain (default: the model's answer)");
  add_choice(line, "--method", options->method, {"occlusion", kGradients}, "How (default: occlusion)");
  add_choice(line, "--of", options->quantity, {"log-odds", "logit"}, "Quantity to explain (default: log-odds)");
  add_number(line, "--span", options->span, {1, kMostBytes},
             "Bytes that are removed together (default: the model's kernel, more for long files)");
  add_number(line, "--step", options->step, {1, kMostBytes},
             "Bytes from one window to the next (default: a quarter of the span)");
  add_number(line, "--fill", options->fill, {0, 255}, "Put this byte value in the place of removed bytes");
  add_number(line, names_of(&Request::steps), options->steps, {1, 4096},
             "Points of integrated gradients (default: 128)");
  add_number(line, "--rows", options->rows, {0, 1'000'000}, "Hottest rows of the hex dump to show (default: 16)");
  add_setting(line, &Request::json, options->json, "Write one JSON object");
  add_text(line, "--html", options->html, "PAGE", "Also write a page with the picture or waveform under its heat");
  add_force(line, options->force, "Replace PAGE if it exists");
  add_form_options(line, options->model);
  add_setting(line, &Request::no_progress, options->no_progress, "No progress bar");
  line.details = kDetails;
  return [options](Console& console) { return explain_file(*options, console); };
}

}  // namespace byteformer::cli
