// The log of a run as JSON, written and read strictly.
#include "experiments/run_log.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file_io.hpp"
#include "base/text.hpp"
#include "format/json.hpp"

namespace byteformer::experiments {
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
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
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
