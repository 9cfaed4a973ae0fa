// The settings of a training: what a person may ask of it, one row per setting. Command line, help, recipes, the JSON
// between the programs, the command in a model card and what a resume compares are read from this table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace byteformer::plan {

/// What is asked of a training. Everything that is not set is chosen from the data, or by the recipe. JSON and the
/// command of a request name its settings in the order of these members.
struct Request {
  std::optional<std::string> data, output, resume, init_from;
  std::optional<std::string> config;  ///< a published configuration (YAML), whose settings hold where none is given
  bool dry_run = false;
  bool json = false;  ///< progress as JSON; with dry_run: the plan
  bool no_progress = false;

  std::optional<std::string> recipe, preset;
  std::optional<std::int64_t> hidden_size, layers, heads, intermediate_size;
  std::optional<std::int64_t> kernel, window;
  std::optional<std::string> masking, positions;

  std::optional<std::string> encode;  ///< a prepare::FileFormat's name, or "as-is"
  std::optional<std::int64_t> quality, resize, crop, sample_rate;
  std::optional<std::string> sample_format;
  std::optional<double> duration_s;
  std::optional<std::string> augment;
  std::optional<std::int64_t> max_bytes;
  std::optional<std::string> transforms;  ///< of the encoded bytes: JSON, as `transforms` of Preprocess

  std::optional<double> epochs, time_s;
  std::optional<std::int64_t> steps, batch_size, warmup_steps, seed;
  std::optional<double> learning_rate, min_learning_rate, weight_decay, label_smoothing, clip_norm, ema_momentum;
  std::optional<double> dropout, stochastic_depth, validation_fraction;
  std::optional<std::string> schedule, initialisation, balance, split_by, task;

  std::optional<std::string> device, precision;
  std::optional<std::int64_t> threads, workers, token_budget;

  bool auto_resume = false;
  std::optional<std::int64_t> ranks;
  std::optional<double> rank_timeout_s;
  std::optional<std::string> all_reduce;
  std::optional<double> checkpoint_interval_s;
  std::optional<std::string> optimizer;
};

using Member = std::variant<bool Request::*, std::optional<std::string> Request::*,
                            std::optional<std::int64_t> Request::*, std::optional<double> Request::*>;

// The values that a setting takes. Bounds are inclusive.

struct Flag {};
struct Text {
  std::string value_name;
};
struct Choice {
  std::vector<std::string> values;  ///< "auto" is what holds where none is given
};
struct Whole {
  std::int64_t min, max;
};
struct Decimal {
  double min, max;
};
/// Seconds; people write 90s, 30m or 2h.
struct Duration {
  static constexpr double kMin = 0.001, kMax = 1e8;
};
using Values = std::variant<Flag, Text, Choice, Whole, Decimal, Duration>;

/// What a setting is about. A recipe of an experiment has those of files, model and schedule.
enum class Group { kRun, kFiles, kModel, kSchedule, kMachine, kDisplay };

/// What a setting does to the result, and so what becomes of it when a run resumes.
enum class Effect {
  kDecidesResult,  ///< it must be what the run started with
  kPlacesResult,   ///< it belongs to a new run
  kNone            ///< it may change: at most, sums are rounded otherwise
};

struct Setting {
  std::string name;  ///< "min-learning-rate"
  Member member;
  Values values;
  std::string help;
  Group group;
  Effect effect = Effect::kDecidesResult;
  char letter = 0;                 ///< the short name, if it has one
  std::vector<Member> excluded{};  ///< settings that cannot be given beside it
};

/// All of them, in the order of help.
const std::vector<Setting>& settings();

const Setting& setting(Member member);
Whole whole(std::optional<std::int64_t> Request::*member);  ///< its bounds
Decimal decimal(std::optional<double> Request::*member);

/// "--min-learning-rate"
std::string option_name(const Setting& setting);
std::string option_name(Member member);

/// The name in JSON and recipes: "min_learning_rate", "duration_s".
std::string key(const Setting& setting);

/// "--min-learning-rate 0.1" as a shell reads it; nothing where `request` does not set it.
std::optional<std::string> option_text(const Setting& setting, const Request& request);

/// Fills what `request` leaves open from `defaults`. \returns for each option that was given otherwise than there,
/// which, what and what not: "--kernel 8, not 32".
std::vector<std::string> fill_in(Request& request, const Request& defaults);

/// The settings that decide the result and that two requests do not have in common, as each gives them: {"--kernel 8",
/// "no --kernel"}.
std::vector<std::pair<std::string, std::string>> differences(const Request& one, const Request& other);

/// As JSON text; what is not set is absent.
std::string to_json(const Request& request);

/// \throws Error kInvalidArgument for unknown keys and wrong types.
Request parse_request(const std::string& json);

/// The command line that asks for it, without what is only display.
std::string command_line(const Request& request);

/// What a run that was asked for by `asked`, and for which `chosen` was chosen, cannot take from `request` when it
/// goes on: "--kernel 8 (was 16)" for each such setting.
std::vector<std::string> changes_of_result(const Request& request, const Request& asked, const Request& chosen);

}  // namespace byteformer::plan
