// Runs steps, evaluations and checkpoints in turn.
#include "train/trainer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "base/file_io.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "format/model_folder.hpp"
#include "plan/report.hpp"
#include "train/bad_files.hpp"
#include "train/gradient_sum.hpp"
#include "train/module.hpp"
#include "train/optimizer.hpp"
#include "train/ranks.hpp"
#include "train/step_time.hpp"
#include "train/validation_set.hpp"

namespace byteformer::train {
namespace {

constexpr double kTimeTolerance = 1.05;

/// What the noise on a file depends on: the seed, the step, and its place in the batch of all ranks.
std::uint64_t noise_of(std::uint64_t seed, std::int64_t step, std::size_t place) {
  constexpr std::uint64_t kNoiseStream = 0x5354'4550'0000'0000;
  return base::Random(seed, kNoiseStream + static_cast<std::uint64_t>(step), place).bits();
}

/// How many seconds after a checkpoint, which took `cost` seconds to write, the next one is due.
double seconds_between_checkpoints(const Runtime& runtime, double cost) {
  constexpr double kLeast = 2;
  constexpr double kShareOfTime = 0.05;
  return runtime.checkpoint_interval_s.value_or(std::max(kLeast, cost / kShareOfTime));
}

/// The flat tensors of a run, on the CPU while a checkpoint is written or read.
class CheckpointTensors {
 public:
  CheckpointTensors(Parameters& parameters, OptimizerState& state) {
    add("values", parameters.values());
    add("first_moment", state.first_moment);
    add("second_moment", state.second_moment);
    add("average", state.average);
  }

  FlatTensors flat() const {
    FlatTensors flat;
    for (const auto& [name, tensor] : on_cpu_)
      flat[name] = {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
    return flat;
  }

  /// Those of the first rank on all.
  void copy_from_first(Ranks& ranks) {
    for (auto& [name, tensor] : on_cpu_) ranks.copy_from_first(tensor);
  }

  void put_back() const {
    const torch::NoGradGuard no_grad;
    for (const auto& [name, tensor] : on_cpu_) originals_.at(name)->copy_(tensor);
  }

 private:
  void add(const char* name, torch::Tensor& tensor) {
    originals_[name] = &tensor;
    on_cpu_[name] = tensor.to(torch::kCPU);
  }

  std::map<std::string, torch::Tensor*> originals_;
  std::map<std::string, torch::Tensor> on_cpu_;
};

/// What ranks tell each other in every step, as sums over all of them.
struct Tally {
  double loss = 0;
  double num_good = 0, num_bad = 0;  ///< files
  double num_stopped = 0;            ///< ranks that were asked to stop
  double seconds = 0;                ///< of training so far, by the first rank's clock
};

/// A run in memory.
class Training {
 public:
  Training(const plan::TrainingPlan& plan, const data::DataSet& data, const RunFolder& folder, const Runtime& runtime,
           const TrainingEvents& events);

  Outcome run();

 private:
  void step(std::vector<data::LoadedFile> files);
  double accumulate(const std::vector<data::LoadedFile>& files, double divisor, double loss_scale);
  Tally total(const Tally& own);
  void evaluate();
  data::Answers validation_answers(const torch::Tensor& weights);
  bool write_or_say(const std::function<void()>& write, std::optional<Error>& failure);
  void warn_if_guessing(const data::Metrics& metrics);
  void keep_if_best(const data::Answers& answers, const plan::ValidationResult& evaluation);
  void judge_best();
  void start();
  void save();
  bool is_out_of_time() const;

  const plan::TrainingPlan& plan_;
  const data::DataSet& data_;
  const RunFolder& folder_;
  const Runtime& runtime_;
  const TrainingEvents& events_;
  Ranks alone_;
  Ranks& ranks_;
  base::ThreadPool evaluation_pool_;
  Module module_;
  Optimizer optimizer_;
  GradientSum gradient_sum_;
  plan::Progress progress_;                  // with many ranks, the first one's is the whole truth
  double agreed_seconds_ = 0;                // of training so far, the same on all ranks
  bool stops_ = false;                       // the same on all ranks
  std::optional<ValidationSet> validation_;  // once it was needed
  Outcome outcome_;
  std::optional<Error> model_unwritten_, checkpoint_unwritten_;  // why the last attempt failed, if it did
};

Training::Training(const plan::TrainingPlan& plan, const data::DataSet& data, const RunFolder& folder,
                   const Runtime& runtime, const TrainingEvents& events)
    : plan_(plan),
      data_(data),
      folder_(folder),
      runtime_(runtime),
      events_(events),
      ranks_(runtime.ranks != nullptr ? *runtime.ranks : alone_),
      evaluation_pool_(runtime.num_threads),
      module_(make_module(plan_, runtime)),
      optimizer_(module_.parameters(),
                 {.rule = parse_step_rule(plan_.optimizer),
                  .weight_decay = plan_.weight_decay,
                  .ema_momentum = plan_.ema_momentum},
                 module_.thread_pool(), &ranks_),
      gradient_sum_(ranks_, module_.parameters(), plan_) {
  if (ranks_.is_first()) start();
  if (!ranks_.are_many()) return;
  // The others have the first one's start, and need no files of it.
  progress_ = plan::parse_progress(ranks_.from_first(plan::to_json(progress_)), "the first rank");
  CheckpointTensors tensors(module_.parameters(), optimizer_.state());
  tensors.copy_from_first(ranks_);
  tensors.put_back();
  optimizer_.state().num_steps = progress_.optimizer_steps;
  agreed_seconds_ = progress_.seconds;
}

/// From the checkpoint if there is one, else from what the plan says.
void Training::start() {
  const CheckpointTensors tensors(module_.parameters(), optimizer_.state());
  if (folder_.load(tensors.flat(), progress_)) {
    tensors.put_back();
    optimizer_.state().num_steps = progress_.optimizer_steps;
    return;  // whatever it started from may be gone by now
  }
  initialise(module_.parameters(), plan_.config, parse_initialisation(plan_.initialisation), plan_.seed);
  if (!plan_.init_from.empty()) adapt(module_.parameters(), plan_.config, plan_.init_from);
  optimizer_.state().average.copy_(module_.parameters().values());
}

Outcome Training::run() {
  if (events_.on_start) events_.on_start(progress_.step);
  data::Loader loader(data_.train, loader_options(plan_, data_, runtime_), static_cast<std::size_t>(progress_.step));
  Stopwatch since_save;
  double seconds_between_saves = seconds_between_checkpoints(runtime_, 0);
  while (progress_.step < plan_.schedule.total_steps && !stops_ && !is_out_of_time()) {
    Stopwatch stopwatch;
    step(loader.next());
    progress_.seconds += stopwatch.seconds();
    const bool is_last = progress_.step == plan_.schedule.total_steps || is_out_of_time();
    if (is_last || progress_.step % plan_.evaluate_every == 0) {
      stopwatch.restart();
      evaluate();
      progress_.seconds += stopwatch.seconds();
    }
    if (stops_ || is_last || since_save.seconds() > seconds_between_saves) {
      stopwatch.restart();
      save();
      seconds_between_saves = seconds_between_checkpoints(runtime_, stopwatch.seconds());
      since_save.restart();
    }
  }
  // However the run ends, what the first rank could not write is no success of any.
  if (checkpoint_unwritten_) throw *checkpoint_unwritten_;
  if (model_unwritten_) throw *model_unwritten_;
  ranks_.from_first("all is written");
  outcome_.is_out_of_time = progress_.step < plan_.schedule.total_steps && is_out_of_time();
  outcome_.is_finished = progress_.step == plan_.schedule.total_steps || outcome_.is_out_of_time;
  outcome_.progress = progress_;
  if (outcome_.is_finished) judge_best();
  return std::move(outcome_);
}

/// Answers of the weights that were kept, which may be those of an earlier session.
void Training::judge_best() {
  if (ranks_.from_first(progress_.history.empty() ? "new" : "") == "new") evaluate();
  if (ranks_.is_first()) {
    const format::ModelFolder kept = format::read_model_folder(folder_.model_dir());
    module_.parameters().load(kept.tensors);
    outcome_.temperature = kept.config.temperature;
  }
  ranks_.copy_from_first(module_.parameters().values());
  outcome_.validation = validation_answers(module_.parameters().values());
  outcome_.validation_samples = validation_->used();
}

bool Training::is_out_of_time() const {
  const double seconds = ranks_.are_many() ? agreed_seconds_ : progress_.seconds;
  return plan_.time_s > 0 && seconds > plan_.time_s * kTimeTolerance;
}

void Training::step(std::vector<data::LoadedFile> files) {
  const Stopwatch stopwatch;
  for (data::LoadedFile& file : files) {
    if (!file.error.empty()) continue;
    const std::string reason = reason_it_does_not_fit(module_, file.bytes.size());
    if (!reason.empty()) file.error = base::printable(data_.train[file.sample].path) + ": " + reason;
  }
  Tally tally;
  for (const data::LoadedFile& file : files) ++(file.error.empty() ? tally.num_good : tally.num_bad);
  const double rate = learning_rate(plan_.schedule, progress_.step);
  const double scale = plan_.precision == "fp16" ? progress_.loss_scale : 1;
  // How many files of all ranks are good is known afterwards; until then the batch's size stands for it.
  const double divisor = ranks_.are_many() ? static_cast<double>(plan_.batch_size) : tally.num_good;
  if (tally.num_good > 0) tally.loss = accumulate(files, divisor, scale);
  tally = total(tally);
  stops_ = tally.num_stopped > 0;
  if (tally.num_bad > 0) note_bad_files(files, data_.train, ranks_, events_.on_message, progress_.failures);
  const double correction = ranks_.are_many() && tally.num_good > 0 ? divisor / tally.num_good : 1;
  const double loss = tally.loss * correction;
  const double norm = optimizer_.gradient_norm() / scale * correction;
  if (std::isfinite(loss) && !std::isfinite(norm) && plan_.precision == "fp16") {
    progress_.loss_scale /= 2;  // too large for float16: the step is skipped, as usual
    progress_.good_steps = 0;
    module_.parameters().gradients().zero_();
  } else if (!std::isfinite(loss) || !std::isfinite(norm)) {
    base::fail(ErrorCode::kInternal, "the loss is no longer finite at step ", progress_.step + 1,
               ". The last checkpoint and the best model so far are in ", base::printable(folder_.model_dir()),
               ". Try a smaller ", plan::option_name(&plan::Request::learning_rate), " (now ", plan_.schedule.max_lr,
               "), ", plan::option_name(&plan::Request::clip_norm), " 1, or float32 instead of ", plan_.precision);
  } else if (tally.num_good > 0) {
    const double clipped = plan_.clip_norm > 0 && norm > plan_.clip_norm ? plan_.clip_norm / norm : 1;
    optimizer_.step(rate, clipped / scale * correction);
    if (plan_.precision == "fp16" && ++progress_.good_steps % 2000 == 0) progress_.loss_scale *= 2;
  }
  ++progress_.step;
  progress_.loss_sum += loss;
  ++progress_.loss_count;
  if (events_.on_step)
    events_.on_step({progress_.step, loss, rate, norm, static_cast<std::int64_t>(tally.num_good), stopwatch.seconds()});
}

/// Waits until the gradients and what belongs to them are the sums over all ranks.
Tally Training::total(const Tally& own) {
  Tally all = own;
  all.num_stopped = events_.should_stop && events_.should_stop() ? 1 : 0;
  if (!ranks_.are_many()) return all;
  gradient_sum_.finish();
  std::array numbers{all.loss, all.num_good, all.num_bad, all.num_stopped, ranks_.is_first() ? progress_.seconds : 0};
  ranks_.sum(numbers);
  agreed_seconds_ = numbers[4];
  return {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
}

/// Gradients of the loss of the good files over `divisor`, pass by pass; returns that loss.
double Training::accumulate(const std::vector<data::LoadedFile>& files, double divisor, double loss_scale) {
  std::vector<std::span<const std::uint8_t>> bytes;
  std::vector<Target> targets;
  std::vector<std::uint64_t> noise;
  for (const data::LoadedFile& file : files) {
    if (!file.error.empty()) continue;
    bytes.emplace_back(file.bytes);
    noise.push_back(noise_of(plan_.seed, progress_.step, file.place));
    targets.push_back({file.label, file.other_label, file.first_share, 1});
  }
  module_.set_training(true);
  double loss = 0;
  for_each_pass(module_, bytes, plan_.token_budget, [&](std::size_t first, std::size_t last) {
    PassOptions options;
    if (ranks_.are_many() && last == bytes.size())
      options.on_layer_done = [this](int layer) { gradient_sum_.layers_are_done(layer); };
    const auto of_pass = [&](auto& all) { return std::span(all).subspan(first, last - first); };
    options.noise.assign(of_pass(noise).begin(), of_pass(noise).end());
    const torch::Tensor sum =
        cross_entropy_sum(module_.forward(of_pass(bytes), options), of_pass(targets), plan_.label_smoothing);
    const torch::Tensor mean = sum / divisor;
    (mean * loss_scale).backward();
    loss += mean.item<double>();
  });
  return loss;
}

data::Answers Training::validation_answers(const torch::Tensor& weights) {
  if (!validation_) validation_.emplace(data_.validation, plan_, module_, ranks_, events_.on_message);
  return validation_->answers(weights, module_, evaluation_pool_);
}

void Training::evaluate() {
  const data::Answers answers = validation_answers(optimizer_.state().average);
  if (!ranks_.is_first()) return;
  const data::Metrics metrics = data::measure(answers);
  plan::ValidationResult evaluation;
  evaluation.step = progress_.step;
  evaluation.train_loss = progress_.loss_sum / static_cast<double>(std::max<std::int64_t>(1, progress_.loss_count));
  evaluation.loss = metrics.loss;
  evaluation.top1 = metrics.top1;
  evaluation.top5 = metrics.top5;
  evaluation.learning_rate = learning_rate(plan_.schedule, progress_.step - 1);
  evaluation.seconds = progress_.seconds;
  progress_.loss_sum = 0;
  progress_.loss_count = 0;
  progress_.history.push_back(evaluation);
  keep_if_best(answers, evaluation);
  if (events_.on_evaluation) events_.on_evaluation(evaluation);
  warn_if_guessing(metrics);
}

/// Once, when a fifth of the steps have taught nothing: whoever waits should know before the rest is gone.
void Training::warn_if_guessing(const data::Metrics& metrics) {
  const std::int64_t since = std::max(plan_.schedule.total_steps / 5, 2 * plan_.schedule.warmup_steps);
  const std::int64_t before = progress_.step - plan_.evaluate_every;
  if (progress_.step < since || before >= since || !events_.on_message || !data::only_guesses(metrics)) return;
  events_.on_message(base::joined("warning: after ", progress_.step, " of ", plan_.schedule.total_steps, " steps, ",
                                  plan::guessing_text(plan_)));
}

/// The averaged weights become the model if no earlier ones were better.
void Training::keep_if_best(const data::Answers& answers, const plan::ValidationResult& evaluation) {
  const bool is_better = evaluation.top1 > progress_.best_top1 ||
                         (evaluation.top1 == progress_.best_top1 && evaluation.loss <= progress_.best_loss);
  if (!is_better) return;
  format::ModelConfig config = plan_.config;
  config.temperature = data::fit_temperature(answers);
  const torch::Tensor weights = optimizer_.state().average.to(torch::kCPU);
  if (!write_or_say([&] { folder_.write_model(config, module_.parameters().named(weights)); }, model_unwritten_))
    return;
  progress_.best_top1 = evaluation.top1;
  progress_.best_loss = evaluation.loss;
  progress_.best_step = evaluation.step;
}

void Training::save() {
  if (!ranks_.is_first()) return;
  const CheckpointTensors tensors(module_.parameters(), optimizer_.state());
  progress_.optimizer_steps = optimizer_.state().num_steps;
  write_or_say([&] { folder_.save(tensors.flat(), progress_); }, checkpoint_unwritten_);
}

/// A full disk must not cost an hour of training: it is said, and tried again at the next checkpoint; only at the end
/// it is an error. Returns whether it was written, and puts the reason into `failure` if not.
bool Training::write_or_say(const std::function<void()>& write, std::optional<Error>& failure) {
  failure.reset();
  try {
    write();
    return true;
  } catch (const Error& error) {
    if (progress_.step >= plan_.schedule.total_steps || error.code() != ErrorCode::kIo) throw;
    failure = error;
    if (events_.on_message)
      events_.on_message(std::string("could not be saved: ") + error.what() + "; training goes on, and tries again");
    return false;
  }
}

}  // namespace

Outcome train(const plan::TrainingPlan& plan, const data::DataSet& data, const RunFolder& folder,
              const Runtime& runtime, const TrainingEvents& events) {
  return Training(plan, data, folder, runtime, events).run();
}

}  // namespace byteformer::train
