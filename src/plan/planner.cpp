// Chooses device, batch, schedule and balance, and says why.
#include "plan/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "plan/filter_bank.hpp"
#include "plan/start.hpp"

namespace byteformer::plan {
namespace {

constexpr double kDefaultTime_s = 20 * 60;
constexpr double kMostEpochs = 150;

/// "1.5 kB", "3.0 MB"
std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  return bytes < 1'000'000 ? fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3)
                           : fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string survey_text(const data::Survey& survey) {
  std::string kinds;
  for (const auto& [kind, count] : survey.kinds)
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
  std::string text =
      fmt::format("looked at {} files: {}; {} to {} each", survey.num_looked_at, kinds,
                  bytes_text(data::quantile(survey.bytes, 0)), bytes_text(data::quantile(survey.bytes, 1)));
  if (!survey.widths.empty())
    text += survey.all_images_equal ? fmt::format("; {}x{} pixels", survey.widths.front(), survey.heights.front())
                                    : fmt::format("; shorter sides {} to {} pixels", survey.shorter_sides.front(),
                                                  survey.shorter_sides.back());
  if (!survey.durations_s.empty())
    text += fmt::format("; {:.2f} to {:.2f} s at {} Hz", survey.durations_s.front(), survey.durations_s.back(),
                        data::quantile(survey.sample_rates, 0.5));
  return text;
}

std::vector<std::int64_t> class_counts(const data::DataSet& data) {
  std::vector<std::int64_t> counts(data.classes.size());
  for (const data::Sample& sample : data.train) ++counts[static_cast<std::size_t>(sample.label)];
  return counts;
}

/// A joint model must not neglect the kind of file that is rare.
void balance_kinds(const data::Survey& survey, const std::string& wanted, TrainingPlan& plan) {
  if (!plan.preprocess.image || !plan.preprocess.sound || wanted == "off") return;
  const std::size_t few = std::min(survey.num_images, survey.num_sounds);
  const std::size_t many = std::max(survey.num_images, survey.num_sounds);
  plan.balance_kinds = wanted == "on" || many > 3 * few;
  if (plan.balance_kinds)
    plan.reasons.push_back(
        fmt::format("pictures and sounds are drawn equally often, though there are {:.0f} times as "
                    "many {} ({} off changes that)",
                    static_cast<double>(many) / static_cast<double>(few),
                    survey.num_images > survey.num_sounds ? "pictures" : "sounds", option_name(&Request::balance)));
}

void choose_balance(const Request& request, const data::DataSet& data, const data::Survey& survey, TrainingPlan& plan) {
  const std::vector<std::int64_t> counts = class_counts(data);
  const auto largest = std::ranges::max_element(counts);
  auto smallest = counts.end();
  for (auto it = counts.begin(); it != counts.end(); ++it)
    if (*it > 0 && (smallest == counts.end() || *it < *smallest)) smallest = it;
  const std::string wanted = request.balance.value_or("auto");
  balance_kinds(survey, wanted, plan);
  const bool is_unbalanced = *largest > 3 * *smallest;
  plan.balance_classes = wanted == "on" || (wanted == "auto" && is_unbalanced);
  const auto name = [&](auto it) { return data.classes[static_cast<std::size_t>(it - counts.begin())]; };
  const std::string counts_text = *largest == *smallest
                                      ? fmt::format("{} files of each", *largest)
                                      : fmt::format("{} files of `{}`, {} of `{}`", *largest, name(largest), *smallest,
                                                    name(smallest));
  if (is_unbalanced || plan.balance_classes)
    plan.reasons.push_back(
        fmt::format("classes: {}: {}", counts_text,
                    plan.balance_classes
                        ? "each class is drawn equally often (" + option_name(&Request::balance) + " off changes that)"
                        : "drawn as they are (" + option_name(&Request::balance) + " on evens them out)"));
}

void choose_batch(const Request& request, const data::DataSet& data, bool is_published, TrainingPlan& plan) {
  const std::size_t num_files = data.train.size();
  const std::int64_t published = plan.preprocess.sound && !plan.preprocess.image ? 48 * 4 : 48 * 8 * 2;
  const std::int64_t chosen = num_files < 5'000 ? 32 : num_files < 20'000 ? 64 : 128;
  plan.batch_size = request.batch_size.value_or(is_published ? published : chosen);
}

/// What was split off for validation stays what the training of the model to start from held out, where the files are
/// the same: any other part of them holds files that it learnt, and they would judge the new one too kindly.
void keep_split_of_start(const Request& request, TrainingPlan& plan, data::DataSet& data) {
  if (plan.init_from.empty() || data.split_by.empty()) return;
  const std::optional<data::KnownSplit> known = data::read_known_split(plan.init_from);
  if (!known || known->data_fingerprint == plan.data_fingerprint || known->num_classes != data.classes.size()) return;
  std::optional<data::DataSet> same = data::find_as_trained(plan.init_from, plan.data);
  if (!same || same->split_by.empty()) return;
  for (const auto& [is_asked, name] :
       {std::pair(request.validation_fraction.has_value(), option_name(&Request::validation_fraction)),
        std::pair(request.split_by.has_value(), option_name(&Request::split_by))}) {
    if (!is_asked) continue;
    plan.reasons.push_back(fmt::format("but {} splits off files that {} was trained on: validation will flatter", name,
                                       base::printable(plan.init_from)));
    return;
  }
  data = std::move(*same);
  plan.split_seed = known->options.seed;
  plan.validation_fraction = known->options.validation_fraction;
  plan.split_by = known->options.split_by_speaker ? "auto" : "file";
  plan.data_fingerprint = known->data_fingerprint;
  plan.reasons.push_back(fmt::format("validation: the {} files that {} was not trained on, either",
                                     data.validation.size(), base::printable(plan.init_from)));
}

}  // namespace

void require_trainable(const data::DataSet& data, const std::string& name) {
  if (data.train.empty())
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: holds no files to train on, only {} for validation and {} for test; training files lie in "
                    "train/, in a folder for each class",
                    name, data.validation.size(), data.test.size()));
  if (data.classes.size() < 2)
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: has {} class, training needs two or more", name, data.classes.size()));
}

void choose_device(const Request& request, const Machine& machine, TrainingPlan& plan) {
  const std::string wanted = request.device.value_or("auto");
  if (wanted == "cuda" && !machine.has_cuda)
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{0} cuda: this LibTorch finds no GPU; use {0} cpu, or build against a PyTorch with CUDA",
                            option_name(&Request::device)));
  plan.device = wanted == "cuda" || (wanted == "auto" && machine.has_cuda) ? "cuda" : "cpu";
  plan.precision = request.precision.value_or(plan.device == "cuda" ? "bf16" : "float32");
  if (plan.precision == "fp16" && plan.device == "cpu")
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} fp16 needs {} cuda; on the CPU there are float32 and bf16",
                            option_name(&Request::precision), option_name(&Request::device)));
  if (plan.precision == "bf16" && plan.device == "cpu")
    plan.reasons.push_back(fmt::format(
        "products in bf16: on a CPU by LibTorch's operators, which are slower than our own kernels in float32 "
        "({} float32 takes those)",
        option_name(&Request::precision)));
}

void take_settings(const Request& request, TrainingPlan& plan) {
  plan.data = request.data.value_or("");
  plan.seed = plan.split_seed = static_cast<std::uint64_t>(request.seed.value_or(0));
  plan.validation_fraction = request.validation_fraction.value_or(0.1);
  plan.split_by = request.split_by.value_or("auto");
  plan.task = request.task.value_or("");
  plan.init_from = request.init_from.value_or(kFromNothing);
  if (plan.init_from == kFromNothing) plan.init_from.clear();
  plan.token_budget = request.token_budget.value_or(plan.token_budget);
  plan.optimizer = request.optimizer.value_or("auto");
  plan.weight_decay = request.weight_decay.value_or(0.05);
  plan.label_smoothing = request.label_smoothing.value_or(0.1);
  plan.clip_norm = request.clip_norm.value_or(request.recipe == "published" ? 0 : 1);
  plan.dropout = request.dropout.value_or(0);
  plan.stochastic_depth = request.stochastic_depth.value_or(0);
  plan.initialisation = request.initialisation.value_or(request.recipe == "published" ? "released" : "auto");
}

void choose_initialisation(TrainingPlan& plan) {
  if (plan.initialisation != "auto" && plan.initialisation != "filter-bank") return;
  const std::vector<ByteNumbers> numbers = numbers_of(plan.config);
  if (plan.initialisation == "filter-bank" && numbers.empty())
    throw Error(ErrorCode::kInvalidArgument,
                option_name(&Request::initialisation) +
                    " filter-bank: the bytes of these files are no numbers that a stem with kernel " +
                    std::to_string(plan.config.conv_kernel_size) + " could tell apart");
  plan.initialisation = numbers.empty() || !plan.init_from.empty() ? "released" : "filter-bank";
  if (plan.initialisation == "released") return;
  const auto kinds = base::words_of(numbers, [](const ByteNumbers& n) { return to_string(n.kind); });
  plan.reasons.push_back(fmt::format("the stem starts {} {} ({} released changes that)",
                                     numbers.front().are_in_order ? "as a filter bank over" : "with the values of",
                                     base::list(kinds, " and "), option_name(&Request::initialisation)));
}

/// Muon learns more of the same steps; weights that know such files already go on as well by AdamW, whose steps cost
/// less.
void choose_optimizer(const Request& request, TrainingPlan& plan) {
  if (plan.optimizer != "auto") return;
  plan.optimizer = request.recipe == "published" || !plan.init_from.empty() ? "adamw" : "muon";
  if (request.recipe != "published")
    plan.reasons.push_back(fmt::format("steps by {} ({})", plan.optimizer == "muon" ? "Muon" : "AdamW",
                                       option_name(&Request::optimizer)));
}

data::DataSetOptions split_options(const TrainingPlan& plan) {
  data::DataSetOptions options;
  options.validation_fraction = plan.validation_fraction;
  options.seed = plan.split_seed;
  options.split_by_speaker = plan.split_by != "file";
  if (!plan.task.empty()) options.task = data::parse_task(plan.task);
  return options;
}

TrainingPlan choose_plan(const Request& request, const data::DataSet& data, const data::Survey& survey,
                         const Machine& machine) {
  if (survey.num_looked_at == 0) {
    std::string why;
    for (const auto& [kind, failures] : survey.failures) why += "; " + failures.first;
    throw Error(ErrorCode::kInvalidFormat,
                base::printable(request.data.value_or("the data")) + ": none of the training files can be read" + why);
  }
  const bool is_published = request.recipe == "published";
  TrainingPlan plan;
  plan.asked = request;
  plan.command = command_line(request);
  take_settings(request, plan);
  plan.data_fingerprint = data::fingerprint(data, plan.data);
  plan.reasons.push_back(survey_text(survey));
  if (const std::string text = survey.disagreement(); !text.empty()) plan.reasons.push_back("but " + text);
  choose_device(request, machine, plan);
  choose_start(request, survey, machine, plan);
  choose_preprocess(request, survey, plan);
  choose_model(request, data, survey, plan);
  choose_initialisation(plan);
  choose_optimizer(request, plan);
  choose_batch(request, data, is_published, plan);
  choose_balance(request, data, survey, plan);
  choose_augmentation(request, data, plan);
  return plan;
}

void choose_schedule(const Request& request, std::size_t num_files, const std::function<double()>& step_seconds,
                     TrainingPlan& plan) {
  const bool is_published = request.recipe == "published";
  Schedule& s = plan.schedule;
  s.steps_per_epoch =
      static_cast<std::int64_t>(data::num_batches(num_files, static_cast<std::size_t>(plan.batch_size)));
  const auto per_epoch = static_cast<double>(s.steps_per_epoch);
  const auto to_steps = [&](double epochs) { return std::max<std::int64_t>(1, std::llround(epochs * per_epoch)); };
  plan.time_s = request.time_s.value_or(0);
  if (request.steps) {
    s.total_steps = *request.steps;
  } else if (is_published) {
    s.total_steps = to_steps(request.epochs.value_or(300));
  } else if (request.epochs && !request.time_s) {
    s.total_steps = to_steps(*request.epochs);
  } else {
    if (!request.time_s) plan.time_s = kDefaultTime_s;
    s.total_steps = to_steps(request.epochs.value_or(kMostEpochs));
    std::string reason;
    if (step_seconds) {
      const double seconds = step_seconds();
      // A tenth is left for evaluations and for a machine that grows slower.
      const auto affordable = std::max<std::int64_t>(1, static_cast<std::int64_t>(0.9 * plan.time_s / seconds));
      s.total_steps = std::min(affordable, s.total_steps);
      reason = fmt::format("a step of {} files takes {:.3f} s here: {:.1f} epochs in {}", plan.batch_size, seconds,
                           static_cast<double>(s.total_steps) / per_epoch,
                           base::duration_text(static_cast<double>(s.total_steps) * seconds));
    } else {
      reason = fmt::format("as many epochs as fit into {}, at most {:.1f}: a step is timed when training starts",
                           base::duration_text(plan.time_s), static_cast<double>(s.total_steps) / per_epoch);
    }
    if (!request.time_s)
      reason += fmt::format(" ({} and {} change that)", option_name(&Request::time_s), option_name(&Request::epochs));
    plan.reasons.push_back(reason);
  }
  strengthen_augmentation(request, plan);
  s.max_lr = request.learning_rate.value_or(kUsualRate);
  s.min_lr = request.min_learning_rate.value_or(is_published ? 2e-5 : s.max_lr / 100);
  const std::int64_t published_warmup = plan.preprocess.sound && !plan.preprocess.image ? 500 : 7'500;
  s.warmup_steps =
      std::min(s.total_steps / 2,
               request.warmup_steps.value_or(is_published ? published_warmup
                                                          : std::clamp<std::int64_t>(s.total_steps / 20, 10, 1'000)));
  s.is_per_epoch = request.schedule.value_or(is_published ? "epoch" : "step") == "epoch";
  plan.ema_momentum = request.ema_momentum.value_or(
      is_published ? 1e-4 : std::clamp(30.0 / static_cast<double>(s.total_steps), 1e-4, 0.5));
  // Once per epoch, but neither all the time nor hardly ever.
  plan.evaluate_every = std::max(std::min(s.steps_per_epoch, std::max<std::int64_t>(1, (s.total_steps + 9) / 10)),
                                 std::max<std::int64_t>(1, s.total_steps / 50));
}

std::vector<std::string> data_lines(const data::DataSet& data) {
  std::string names;
  for (std::size_t i = 0; i < data.classes.size() && i < 12; ++i)
    names += (i > 0 ? ", " : "") + base::printable(data.classes[i]);
  if (data.classes.size() > 12) names += ", ...";
  const std::string validation = data.split_by.empty() ? "" : fmt::format(", split off by {}", data.split_by);
  std::vector<std::string> lines = {
      fmt::format("data: {} classes ({}); {} files to train on, {} for validation{}, {} for test", data.classes.size(),
                  names, data.train.size(), data.validation.size(), validation, data.test.size())};
  for (const std::string& remark : data.remarks) lines.push_back("note: " + remark);
  return lines;
}

TrainingPlan plan_for_data(const Request& request, const Machine& machine, const Say& say, const StepTimer& time_step,
                           data::DataSet& data) {
  TrainingPlan plan;
  take_settings(request, plan);
  data = data::find_data_set(plan.data, split_options(plan));
  for (const std::string& line : data_lines(data)) say(line);
  if (request.split_by == "speaker" && data.split_by == "file")
    say("note: names of files tell no speakers apart, or too few: validation is split off by file");
  require_trainable(data, base::printable(plan.data));
  plan = choose_plan(request, data, data::look_at(data, {.decodes = !takes_bytes(request, plan)}), machine);
  keep_split_of_start(request, plan, data);
  std::function<double()> step_seconds;
  if (time_step) step_seconds = [&] { return time_step(plan, data); };
  choose_schedule(request, data.train.size(), step_seconds, plan);
  return plan;
}

}  // namespace byteformer::plan
