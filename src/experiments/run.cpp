// From recipes, scales and seeds to runs, their settings and their places; the log of a run as JSON, read strictly.
#include "experiments/run.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "base/file_io.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::experiments {
namespace {

void add(const RecipeBook& book, const Run& run, std::vector<Run>& runs) {
  if (std::ranges::find(runs, run) != runs.end()) return;
  if (!run.at_scale().rekeys.empty()) add(book, rekeyed_run(book, run), runs);
  runs.push_back(run);
}

}  // namespace

std::vector<Run> schedule(const RecipeBook& book, const std::vector<const Recipe*>& recipes, Scale scale,
                          std::optional<std::int64_t> num_seeds, std::optional<std::int64_t> steps) {
  std::vector<Run> runs;
  bool has_more = true;
  for (std::size_t i = 0; has_more && (!num_seeds || static_cast<std::int64_t>(i) < *num_seeds); ++i) {
    has_more = false;
    for (const Recipe* recipe : recipes) {
      const std::vector<std::int64_t>& seeds = recipe->at(scale).seeds;
      if (i >= seeds.size()) continue;
      add(book, {recipe, scale, seeds[i], steps}, runs);
      has_more = true;
    }
  }
  return runs;
}

Run rekeyed_run(const RecipeBook& book, const Run& run) {
  return {&book.at(run.at_scale().rekeys), run.scale, run.seed, run.steps};
}

std::string to_string(const Run& run) { return base::joined(run.recipe->name, ", seed ", run.seed); }

plan::Request training_request(const Run& run, const Places& places) {
  plan::Request request = run.at_scale().train;
  request.data = (places.data / run.at_scale().data->folder).string();
  request.output = model_dir(run, places).string();
  request.seed = run.seed;
  if (!request.initialisation) request.initialisation = "released";  // as in the paper
  if (!request.optimizer) request.optimizer = "adamw";
  if (run.steps) {
    request.steps = run.steps;
    request.epochs.reset();
  }
  return request;
}

std::string training_command(const RecipeBook& book, const Run& run, const Places& places) {
  if (run.at_scale().rekeys.empty()) return plan::command_line(training_request(run, places));
  return base::joined("byteformer obfuscate rekey ", model_dir(rekeyed_run(book, run), places).string(),
                      " --key paper.key -o ", model_dir(run, places).string());
}

std::string settings_json(const RecipeBook& book, const Run& run) {
  plan::Request request = training_request(run, {});
  request.data = run.at_scale().data->name;
  request.output.reset();
  // Logs that stand name neither.
  if (request.initialisation == "released") request.initialisation.reset();
  if (request.optimizer == "adamw") request.optimizer.reset();
  auto json = format::from_text<format::OrderedJson>(plan::to_json(request));
  for (const DataSource* test : run.at_scale().tests) json["tests"].push_back(std::string(test->name));
  if (!run.at_scale().rekeys.empty())
    json["rekeys"] = format::from_text<format::OrderedJson>(settings_json(book, rekeyed_run(book, run)));
  return format::to_text(json);
}

std::string fingerprint(const RecipeBook& book, const Run& run) {
  constexpr std::size_t kDigits = 16;
  const std::string settings = settings_json(book, run);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(settings.data());
  return base::hex(base::sha256(std::span(bytes, settings.size()))).substr(0, kDigits);
}

std::filesystem::path model_dir(const Run& run, const Places& places) {
  return places.models / to_string(run.scale) / run.recipe->name / base::joined("seed-", run.seed);
}

std::filesystem::path log_path(const Run& run, const Places& places) {
  const char* prefix = run.scale == Scale::kPaper ? "paper-seed-" : "seed-";
  return places.results / "runs" / run.recipe->name / base::joined(prefix, run.seed, ".json");
}

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxLogBytes = 4 << 20;
constexpr int kFormat = 1;

// Each lists the members of a struct by name; writing and reading are two visitors of these lists.
template <typename T, typename Visit>
void visit_validation(T& v, const Visit& visit) {
  visit("step", v.step), visit("seconds", v.seconds), visit("train_loss", v.train_loss), visit("loss", v.loss);
  visit("top1", v.top1);
}
template <typename T, typename Visit>
void visit_training(T& t, const Visit& visit) {
  visit("data_fingerprint", t.data_fingerprint), visit("steps", t.steps), visit("best_step", t.best_step);
  visit("epochs", t.epochs), visit("seconds", t.seconds);
}
template <typename T, typename Visit>
void visit_test(T& t, const Visit& visit) {
  visit("data", t.data), visit("split", t.split), visit("files", t.files), visit("failures", t.failures);
  visit("top1", t.top1), visit("loss", t.loss);
}
template <typename T, typename Visit>
void visit_rekeying(T& r, const Visit& visit) {
  visit("of", r.of), visit("files", r.files), visit("bit_identical", r.is_bit_identical);
}
template <typename T, typename Visit>
void visit_log(T& l, const Visit& visit) {
  visit("experiment", l.experiment), visit("scale", l.scale), visit("seed", l.seed), visit("command", l.command);
  visit("fingerprint", l.fingerprint), visit("version", l.version), visit("machine", l.machine);
}

/// Losses and seconds need no sixteen digits. Rounding twice is rounding once.
double rounded(double value) {
  constexpr double kMost = 1e9;  // beyond, the product below is no whole number of millionths
  return std::abs(value) < kMost ? std::round(value * 1e6) / 1e6 : value;
}

auto writer(Json& json) {
  return [&json](const char* name, const auto& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, double>)
      json[name] = rounded(value);
    else
      json[name] = value;
  };
}

auto reader(const format::Json& json) {
  return [&json](const char* name, auto& value) { json.at(name).get_to(value); };
}

Json training_json(const TrainingLog& training) {
  Json json;
  visit_training(training, writer(json));
  json["history"] = Json::array();
  for (const plan::ValidationResult& validation : training.history)
    visit_validation(validation, writer(json["history"].emplace_back(Json::object())));
  return json;
}

TrainingLog read_training(const format::Json& json) {
  TrainingLog training;
  visit_training(training, reader(json));
  for (const auto& item : json.at("history")) visit_validation(training.history.emplace_back(), reader(item));
  return training;
}

RunLog read(const format::Json& json) {
  RunLog log;
  visit_log(log, reader(json));
  if (json.contains("training")) log.training = read_training(json["training"]);
  if (json.contains("rekeying")) visit_rekeying(log.rekeying.emplace(), reader(json["rekeying"]));
  for (const auto& item : json.at("tests")) visit_test(log.tests.emplace_back(), reader(item));
  return log;
}

}  // namespace

std::vector<plan::ValidationResult> thinned(const std::vector<plan::ValidationResult>& history, std::size_t most) {
  if (history.size() <= most || most < 2) return history;
  std::vector<plan::ValidationResult> few;
  for (std::size_t i = 0; i < most; ++i) few.push_back(history[i * (history.size() - 1) / (most - 1)]);
  return few;
}

std::string to_json(const RunLog& log) {
  Json json;
  json["format"] = kFormat;
  visit_log(log, writer(json));
  if (log.training) json["training"] = training_json(*log.training);
  if (log.rekeying) visit_rekeying(*log.rekeying, writer(json["rekeying"]));
  json["tests"] = Json::array();
  for (const TestResult& test : log.tests) visit_test(test, writer(json["tests"].emplace_back(Json::object())));
  return json.dump(1) + "\n";
}

RunLog parse_run_log(std::string_view text, const std::string& source) {
  const format::Json json = format::parse_json(text, source);
  try {
    if (json.at("format") != kFormat)
      base::fail(ErrorCode::kUnsupported, base::About{source}, "format is ", json["format"].dump(),
                 ", this build reads ", kFormat);
    return read(json);
  } catch (const nlohmann::json::exception& error) {
    base::fail(ErrorCode::kInvalidFormat, base::About{source}, "is no log of a run: ", error.what());
  }
}

std::optional<RunLog> find_log(const Run& run, const Places& places) {
  const std::filesystem::path path = log_path(run, places);
  if (!base::exists(path)) return std::nullopt;
  return parse_run_log(base::read_text_file(path, kMaxLogBytes), base::printable(path));
}

void write_log(const Run& run, const RunLog& log, const Places& places) {
  const std::filesystem::path path = log_path(run, places);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) base::fail(ErrorCode::kIo, base::printable(path.parent_path()), ": cannot be created: ", error.message());
  base::write_file_atomically(path, to_json(log));
}

}  // namespace byteformer::experiments
