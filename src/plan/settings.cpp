// Implementation of training_request.hpp.
#include "plan/settings.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/json.hpp"

namespace byteformer::plan {
namespace {

/// Calls visit(name, member) for every member; writing and reading are two visitors of this one list.
template <typename Request, typename Visit>
void for_each_member(Request& r, const Visit& visit) {
  visit("data", r.data), visit("output", r.output), visit("resume", r.resume), visit("init_from", r.init_from);
  visit("config", r.config);
  visit("dry_run", r.dry_run), visit("json", r.json), visit("overwrite", r.overwrite);
  visit("no_progress", r.no_progress);
  visit("recipe", r.recipe), visit("preset", r.preset), visit("hidden_size", r.hidden_size);
  visit("layers", r.layers), visit("heads", r.heads), visit("intermediate_size", r.intermediate_size);
  visit("kernel", r.kernel), visit("window", r.window), visit("masking", r.masking), visit("positions", r.positions);
  visit("encode", r.encode), visit("quality", r.quality), visit("resize", r.resize), visit("crop", r.crop);
  visit("sample_rate", r.sample_rate), visit("sample_format", r.sample_format), visit("duration_s", r.duration_s);
  visit("augment", r.augment), visit("max_bytes", r.max_bytes), visit("transforms", r.transforms);
  visit("epochs", r.epochs), visit("time_s", r.time_s), visit("steps", r.steps), visit("batch_size", r.batch_size);
  visit("warmup_steps", r.warmup_steps), visit("seed", r.seed), visit("learning_rate", r.learning_rate);
  visit("min_learning_rate", r.min_learning_rate), visit("weight_decay", r.weight_decay);
  visit("label_smoothing", r.label_smoothing), visit("clip_norm", r.clip_norm), visit("ema_momentum", r.ema_momentum);
  visit("dropout", r.dropout), visit("stochastic_depth", r.stochastic_depth);
  visit("validation_fraction", r.validation_fraction), visit("schedule", r.schedule);
  visit("initialisation", r.initialisation), visit("balance", r.balance), visit("split_by", r.split_by);
  visit("device", r.device), visit("precision", r.precision), visit("threads", r.threads);
  visit("workers", r.workers), visit("token_budget", r.token_budget);
}

void write(nlohmann::ordered_json& json, const char* name, bool value) {
  if (value) json[name] = true;
}
template <typename T>
void write(nlohmann::ordered_json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

/// For a shell.
std::string quoted(const std::string& word) {
  const bool is_plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./:+@%=,").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (is_plain) return word;
  if (base::printable(word) !=
      word) {  // as bash and other shells read it; in octal: \xNN means something in JSON of ours
    std::string result = "$'";
    for (const unsigned char c : word) {
      if (c > 0x20 && c < 0x7f && c != '\'' && c != '\\')
        result += static_cast<char>(c);
      else
        result += {'\\', static_cast<char>('0' + (c >> 6)), static_cast<char>('0' + (c >> 3 & 7)),
                   static_cast<char>('0' + (c & 7))};
    }
    return result + "'";
  }
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

std::string value_text(const nlohmann::ordered_json& value) {
  if (value.is_string()) return quoted(value.get<std::string>());
  std::string text = value.dump();
  if (value.is_number_float() && text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

/// "--min-learning-rate 0.1", for a shell
std::string option_text(std::string name, const nlohmann::ordered_json& value) {
  if (name.ends_with("_s")) name.resize(name.size() - 2);  // times are given in seconds
  std::ranges::replace(name, '_', '-');
  return "--" + name + (value.is_boolean() ? "" : " " + value_text(value));
}

void read(const nlohmann::json& json, bool& value) { value = json.get<bool>(); }
template <typename T>
void read(const nlohmann::json& json, std::optional<T>& value) {
  value = json.get<T>();
}

}  // namespace

std::string to_json(const Request& request) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for_each_member(request, [&](const char* name, const auto& value) { write(json, name, value); });
  return format::to_text(json);
}

std::vector<std::string> fill_in(Request& request, const Request& defaults) {
  auto merged = format::from_text<format::OrderedJson>(to_json(request));
  std::vector<std::string> contradictions;
  const auto further = format::from_text<format::OrderedJson>(to_json(defaults));
  for (const auto& [key, value] : further.items()) {
    if (merged.contains(key) && merged[key] != value)
      contradictions.push_back(option_text(key, merged[key]) + ", not " + value_text(value));
    if (!merged.contains(key)) merged[key] = value;
  }
  request = parse_request(format::to_text(merged));
  return contradictions;
}

std::string command_line(const Request& request) {
  std::string command = "byteformer train";
  const nlohmann::ordered_json json = format::from_text<format::OrderedJson>(to_json(request));
  for (const auto& [key, value] : json.items()) {
    if (key == "no_progress" || key == "dry_run" || key == "json") continue;  // without influence on the model
    command += " " + option_text(key, value);
  }
  return command;
}

Request parse_request(const std::string& text) {
  Request request;
  try {
    const format::Json json = format::from_text(text);
    std::size_t num_known = 0;
    for_each_member(request, [&](const char* name, auto& value) {
      if (!json.contains(name)) return;
      ++num_known;
      read(json[name], value);
    });
    if (num_known != json.size())
      throw Error(ErrorCode::kInvalidArgument,
                  "the training request has keys that this trainer does not know; are "
                  "byteformer and byteformer-train of one version?");
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInvalidArgument, std::string("the training request is malformed: ") + error.what());
  }
  return request;
}

}  // namespace byteformer::plan
