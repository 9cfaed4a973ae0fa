// The rows of the table, and what is read from them.
#include "plan/settings.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "format/json.hpp"

namespace byteformer::plan {
namespace {

constexpr std::int64_t kMany = 1'000'000'000;
constexpr std::int64_t kMaxSide = 16'384;  // pixels, as a model's `preprocess` may ask for
constexpr std::int64_t kMaxThreads = 1'024;
constexpr std::int64_t kMaxSeed = 4'294'967'295;  // 32 bits, as PyTorch's generator takes

using enum Group;
using enum Effect;
using R = Request;

std::vector<Setting> make_settings() {
  return {
      {"data", &R::data, Text{"DATA"}, "Labelled files: a folder or a manifest", kRun, kNone, 'd'},
      {"output", &R::output, Text{"MODEL"}, "Model folder to create; must not exist", kRun, kPlacesResult, 'o'},
      {"resume", &R::resume, Text{"MODEL"}, "Go on with a run that was stopped", kRun, kNone},
      {"auto-resume",
       &R::auto_resume,
       Flag{},
       "Go on where -o has a run already: for what starts again by itself",
       kRun,
       kNone,
       0,
       {&R::resume}},
      {"init-from", &R::init_from, Text{"MODEL"},
       "Start from the weights of this model (default: a shipped one for such files, else none)", kRun},

      {"encode", &R::encode, Choice{{"tiff", "png", "jpeg", "fhwc", "fchw", "wav", "mp3", "as-is"}},
       "Bytes that the model reads (default: by the data)", kFiles},
      {"quality", &R::quality, Whole{1, 100}, "JPEG quality (default: 100)", kFiles},
      {"sample-format", &R::sample_format, Choice{{"float32", "int32", "int16", "uint8"}}, "Samples of WAV", kFiles},
      {"resize", &R::resize, Whole{1, kMaxSide}, "Shorter side of pictures, in pixels", kFiles},
      {"crop", &R::crop, Whole{1, kMaxSide}, "Square from the middle of pictures, in pixels", kFiles},
      {"sample-rate", &R::sample_rate, Whole{1, 768'000}, "Samples per second", kFiles},
      {"duration", &R::duration_s, Duration{}, "Length of sounds: cut, or filled with silence", kFiles},
      {"max-bytes", &R::max_bytes, Whole{0, kMany}, "Cut longer files to a random piece while training; 0: never",
       kFiles},
      {"transforms", &R::transforms, Text{"JSON"}, "What becomes of the bytes: a list as in a model's \"preprocess\"",
       kFiles},
      {"augment", &R::augment, Choice{{"auto", "strong", "published", "none"}}, "Random changes to training files",
       kFiles},
      {"balance", &R::balance, Choice{{"auto", "on", "off"}}, "Draw classes, and pictures and sounds, equally often",
       kFiles},
      {"validation-fraction", &R::validation_fraction, Decimal{0, 0.9},
       "Share held out where there is no validation set", kFiles},
      {"split-by", &R::split_by, Choice{{"auto", "file", "speaker"}}, "What is held out together", kFiles},
      {"task", &R::task, Choice{{"speech-commands-12", "speech-commands-35"}},
       "Classes of Speech Commands' archive: ten words, unknown and background (default), or all words", kFiles},

      {"recipe", &R::recipe, Choice{{"auto", "published"}}, "Settings: chosen for the data, or those of the paper",
       kModel},
      {"config",
       &R::config,
       Text{"CONFIG"},
       "Train as a published configuration (YAML) says",
       kRun,
       kDecidesResult,
       'c',
       {&R::recipe, &R::resume}},
      {"preset", &R::preset, Choice{{"nano", "micro", "tiny", "small", "base", "huge"}}, "Size of the model", kModel},
      {"hidden-size", &R::hidden_size, Whole{1, 65'536}, "Channels", kModel},
      {"layers", &R::layers, Whole{1, 4'096}, "Encoder blocks", kModel},
      {"heads", &R::heads, Whole{1, 65'536}, "Attention heads", kModel},
      {"intermediate-size", &R::intermediate_size, Whole{1, 1'000'000}, "Channels inside the feed-forward", kModel},
      {"kernel", &R::kernel, Whole{0, 65'536}, "Bytes that a token sees; it moves by half of that", kModel},
      {"window", &R::window, Whole{1, 65'536}, "Tokens of an attention window", kModel},
      {"positions", &R::positions, Choice{{"learned", "sinusoidal"}}, "Position embeddings; sinusoidal: any length",
       kModel},
      {"masking", &R::masking, Choice{{"masked", "released"}}, "Meaning of padding (default: masked)", kModel},
      {"initialisation", &R::initialisation, Choice{{"auto", "filter-bank", "released", "normal"}},
       "How the weights start (default: the stem as a filter bank where bytes are numbers)", kModel},
      {"dropout", &R::dropout, Decimal{0, 0.9}, "Dropout (default: 0)", kModel},
      {"stochastic-depth", &R::stochastic_depth, Decimal{0, 0.9}, "Chance to skip the last block (default: 0)", kModel},

      {"time", &R::time_s, Duration{}, "Budget, such as 30m (default: 20m, or less for little data)", kRun},
      {"epochs", &R::epochs, Decimal{0.001, 100'000}, "Passes over the data, instead of a budget", kSchedule},
      {"steps",
       &R::steps,
       Whole{1, kMany},
       "Training steps, instead of a budget",
       kSchedule,
       kDecidesResult,
       0,
       {&R::epochs, &R::time_s}},
      {"batch-size", &R::batch_size, Whole{1, 1'000'000}, "Files per step, however many passes it takes", kSchedule,
       kDecidesResult, 'b'},
      {"optimizer", &R::optimizer, Choice{{"auto", "adamw", "muon"}},
       "How steps follow from gradients (default: muon; with --init-from adamw)", kSchedule},
      {"learning-rate", &R::learning_rate, Decimal{0, 10}, "Its maximum (default: 0.001)", kSchedule},
      {"min-learning-rate", &R::min_learning_rate, Decimal{0, 10}, "Where the cosine ends", kSchedule},
      {"warmup-steps", &R::warmup_steps, Whole{0, kMany}, "Steps until the maximum", kSchedule},
      {"schedule", &R::schedule, Choice{{"step", "epoch"}}, "How often the cosine moves", kSchedule},
      {"weight-decay", &R::weight_decay, Decimal{0, 10}, "AdamW's weight decay (default: 0.05)", kSchedule},
      {"label-smoothing", &R::label_smoothing, Decimal{0, 0.99}, "Label smoothing (default: 0.1)", kSchedule},
      {"clip-norm", &R::clip_norm, Decimal{0, 1e9}, "Largest norm of the gradients; 0: no limit", kSchedule},
      {"ema-momentum", &R::ema_momentum, Decimal{0, 1}, "Of the averaged weights, which become the model", kSchedule},
      {"seed", &R::seed, Whole{0, kMaxSeed}, "Of everything random (default: 0)", kRun},

      {"device", &R::device, Choice{{"auto", "cpu", "cuda"}}, "Where to compute", kMachine},
      {"precision", &R::precision, Choice{{"float32", "bf16", "fp16"}}, "Of products (default: float32, on a GPU bf16)",
       kMachine},
      {"threads", &R::threads, Whole{1, kMaxThreads}, "Threads (default: one per processor)", kMachine, kNone, 'j'},
      {"workers", &R::workers, Whole{1, kMaxThreads}, "Threads that read, decode and encode files", kMachine, kNone},
      {"ranks", &R::ranks, Whole{1, kMaxThreads}, "Processes on this machine that train together", kMachine, kNone},
      {"rank-timeout", &R::rank_timeout_s, Duration{}, "Wait so long for a rank that does not answer (default: 5m)",
       kMachine, kNone},
      {"all-reduce", &R::all_reduce, Choice{{"float32", "bfloat16"}},
       "As what ranks exchange gradients (default: float32)", kMachine},
      {"checkpoint-interval", &R::checkpoint_interval_s, Duration{},
       "Write a checkpoint so often (default: 2s, or as seldom as costs 5 % of the time)", kMachine, kNone},
      {"token-budget", &R::token_budget, Whole{1, kMany}, "Tokens per pass: bounds memory; may change on a resume",
       kMachine, kNone},
      {"dry-run", &R::dry_run, Flag{}, "Only show the plan", kDisplay, kNone},
      {"json", &R::json, Flag{}, "Progress as JSON, an object per line; with --dry-run: the plan", kDisplay, kNone},
      {"no-progress", &R::no_progress, Flag{}, "No progress display", kDisplay, kNone},
  };
}

/// The settings in the order of the members of Request: fingerprints of runs are computed from this order.
const std::vector<const Setting*>& in_order_of_members() {
  static const std::vector<const Setting*> in_order = [] {
    const Request request;
    const auto place = [&](const Setting* s) {
      return std::visit([&](auto member) { return static_cast<const void*>(&(request.*member)); }, s->member);
    };
    std::vector<const Setting*> ordered;
    for (const Setting& s : settings()) ordered.push_back(&s);
    std::ranges::sort(ordered, std::less<>(), place);
    return ordered;
  }();
  return in_order;
}

/// Calls visit(value) with the member of `request`.
template <typename AnyRequest, typename Visit>
decltype(auto) with_value(const Setting& s, AnyRequest& request, const Visit& visit) {
  return std::visit([&](auto member) { return visit(request.*member); }, s.member);
}

bool is_set(bool value) { return value; }
template <typename T>
bool is_set(const std::optional<T>& value) {
  return value.has_value();
}
bool is_set(const Setting& s, const Request& request) {
  return with_value(s, request, [](const auto& value) { return is_set(value); });
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

std::string text_of(bool) { return ""; }
std::string text_of(const std::string& value) { return quoted(value); }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(double value) {
  std::string text = nlohmann::json(value).dump();
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}
template <typename T>
std::string text_of(const std::optional<T>& value) {
  return text_of(value.value());
}
std::string value_text(const Setting& s, const Request& request) {
  return with_value(s, request, [](const auto& value) { return text_of(value); });
}

bool is_equal(const Setting& s, const Request& a, const Request& b) {
  return std::visit([&](auto member) { return a.*member == b.*member; }, s.member);
}

/// Whether `request` leaves it to us, in words or by silence.
bool is_open(const Setting& s, const Request& request) {
  const auto* text = std::get_if<std::optional<std::string> Request::*>(&s.member);
  return !is_set(s, request) ||
         (std::holds_alternative<Choice>(s.values) && text != nullptr && request.**text == "auto");
}

void write(nlohmann::ordered_json& json, bool value) { json = value; }
template <typename T>
void write(nlohmann::ordered_json& json, const std::optional<T>& value) {
  json = *value;
}
void read(const nlohmann::json& json, bool& value) { value = json.get<bool>(); }
template <typename T>
void read(const nlohmann::json& json, std::optional<T>& value) {
  value = json.get<T>();
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> settings = make_settings();
  return settings;
}

const Setting& setting(Member member) { return *std::ranges::find(settings(), member, &Setting::member); }

Whole whole(std::optional<std::int64_t> Request::*member) { return std::get<Whole>(setting(member).values); }
Decimal decimal(std::optional<double> Request::*member) { return std::get<Decimal>(setting(member).values); }

std::string option_name(const Setting& setting) { return "--" + setting.name; }
std::string option_name(Member member) { return option_name(setting(member)); }

std::string key(const Setting& setting) {
  std::string name = setting.name;
  std::ranges::replace(name, '-', '_');
  return std::holds_alternative<Duration>(setting.values) ? name + "_s" : name;
}

std::optional<std::string> option_text(const Setting& setting, const Request& request) {
  if (!is_set(setting, request)) return std::nullopt;
  const std::string value = value_text(setting, request);
  return option_name(setting) + (std::holds_alternative<Flag>(setting.values) ? "" : " " + value);
}

std::vector<std::string> fill_in(Request& request, const Request& defaults) {
  std::vector<std::string> contradictions;
  for (const Setting* s : in_order_of_members()) {
    if (!is_set(*s, defaults)) continue;
    if (!is_set(*s, request))
      std::visit([&](auto member) { request.*member = defaults.*member; }, s->member);
    else if (!is_equal(*s, request, defaults))
      contradictions.push_back(*option_text(*s, request) + ", not " + value_text(*s, defaults));
  }
  return contradictions;
}

std::vector<std::pair<std::string, std::string>> differences(const Request& one, const Request& other) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Setting* s : in_order_of_members()) {
    const auto text = [&](const Request& r) { return option_text(*s, r).value_or("no " + option_name(*s)); };
    if (s->effect == kDecidesResult && !is_equal(*s, one, other)) found.emplace_back(text(one), text(other));
  }
  return found;
}

std::string to_json(const Request& request) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Setting* s : in_order_of_members())
    if (is_set(*s, request)) with_value(*s, request, [&](const auto& value) { write(json[key(*s)], value); });
  return format::to_text(json);
}

Request parse_request(const std::string& text) {
  Request request;
  try {
    const format::Json json = format::from_text(text);
    std::size_t num_known = 0;
    for (const Setting& s : settings()) {
      if (!json.contains(key(s))) continue;
      ++num_known;
      with_value(s, request, [&](auto& value) { read(json[key(s)], value); });
    }
    if (num_known != json.size())
      throw Error(ErrorCode::kInvalidArgument,
                  "the training request has keys that this trainer does not know; are "
                  "byteformer and byteformer-train of one version?");
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kInvalidArgument, std::string("the training request is malformed: ") + error.what());
  }
  return request;
}

std::string command_line(const Request& request) {
  std::string command = "byteformer train";
  for (const Setting* s : in_order_of_members())
    if (const auto text = option_text(*s, request); text && s->group != kDisplay) command += " " + *text;
  return command;
}

std::vector<std::string> changes_of_result(const Request& request, const Request& asked, const Request& chosen) {
  std::vector<std::string> changes;
  for (const Setting& s : settings()) {
    if (s.effect == kNone || !is_set(s, request)) continue;
    const bool is_as_asked = is_equal(s, request, asked) || (is_open(s, request) && is_open(s, asked));
    if (s.effect == kDecidesResult && (is_as_asked || is_equal(s, request, chosen))) continue;
    const Request& known = is_set(s, chosen) ? chosen : asked;
    changes.push_back(*option_text(s, request) + (s.effect == kPlacesResult ? " (of a new run)"
                                                  : is_set(s, known)        ? " (was " + value_text(s, known) + ")"
                                                                            : " (was not given)"));
  }
  return changes;
}

}  // namespace byteformer::plan
