// Implementation of trainer.hpp.
#include "train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/file_io.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/error.hpp"
#include "data/loader.hpp"
#include "data/random.hpp"
#include "format/model_folder.hpp"
#include "format/text.hpp"
#include "train/adaptation.hpp"
#include "train/engine_answers.hpp"
#include "train/loss.hpp"
#include "train/module.hpp"
#include "train/optimizer.hpp"

namespace byteformer::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLeastSecondsBetweenCheckpoints = 2;
constexpr double kCheckpointShare = 0.05;  // of the time, at most
constexpr std::size_t kMostFailuresAlways = 10;
constexpr double kMostFailureShare = 0.05;
constexpr double kTimeTolerance = 1.05;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

torch::Dtype dtype_of(const std::string& precision) {
  if (precision == "bf16") return torch::kBFloat16;
  return precision == "fp16" ? torch::kFloat16 : torch::kFloat32;
}

ModuleOptions module_options(const TrainingPlan& plan, const Runtime& runtime) {
  ModuleOptions options;
  options.device = torch::Device(plan.device);
  options.compute_type = dtype_of(plan.precision);
  options.regularisation = {plan.dropout, plan.stochastic_depth};
  options.num_threads = runtime.num_threads;
  return options;
}

/// Beside our own kernels LibTorch has little to do, and on one thread its sums have one order.
void set_torch_threads(const ByteFormer& module, const Runtime& runtime) {
  if (module.uses_own_kernels()) {
    torch::set_num_threads(1);
  } else if (runtime.num_threads > 0) {
    torch::set_num_threads(runtime.num_threads);
  }
}

data::LoaderOptions loader_options(const TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
  data::LoaderOptions options;
  options.preprocess = plan.preprocess;
  options.image_augmentation = plan.image_augmentation;
  options.sound_augmentation = plan.sound_augmentation;
  options.batch_size = static_cast<std::size_t>(plan.batch_size);
  options.seed = plan.seed;
  options.balance_classes = plan.balance_classes;
  options.balance_kinds = plan.balance_kinds;
  options.max_bytes = static_cast<std::size_t>(plan.max_bytes);
  options.num_workers = runtime.num_workers;
  if (plan.sound_augmentation.noise_db != 0 && plan.preprocess.sound)
    options.background = data::load_background(data.background, *plan.preprocess.sound);
  return options;
}

/// Files [first, last) whose tokens fit one pass.
std::size_t end_of_pass(const ByteFormer& module, const std::vector<std::span<const std::uint8_t>>& files,
                        std::size_t first, std::int64_t token_budget) {
  std::int64_t tokens = 0;
  std::size_t last = first;
  for (; last < files.size(); ++last) {
    tokens += module.num_tokens(static_cast<std::int64_t>(files[last].size()));
    if (last > first && tokens > token_budget) break;
  }
  return last;
}

/// Reseeds LibTorch's generators, so that noise depends on the seed and the step only, also after a resume.
void seed_step(std::uint64_t seed, std::int64_t step) {
  torch::manual_seed(data::Random(seed, 0x5354'4550, static_cast<std::uint64_t>(step)).bits());
}

bool has_noise(const TrainingPlan& plan) { return plan.dropout > 0 || plan.stochastic_depth > 0; }

}  // namespace

/// A training run in memory.
class Trainer::Run {
 public:
  Run(TrainingPlan plan, const data::DataSet& data, RunFolder folder, const Runtime& runtime, TrainingEvents events);

  Outcome train();

  const Progress& progress() const noexcept { return progress_; }

 private:
  void step(std::vector<data::LoadedFile> files);
  bool fits(std::size_t num_bytes) const;
  std::string too_long(std::size_t num_bytes) const;
  double accumulate(const std::vector<data::LoadedFile>& files, std::size_t num_good, double loss_scale);
  void note_failures(const std::vector<data::LoadedFile>& files);
  void evaluate();
  void load_validation();
  data::Answers validation_answers(const torch::Tensor& weights);
  bool write_or_say(const std::function<void()>& write);
  void keep_if_best(const data::Answers& answers, const Evaluation& evaluation);
  void judge_best();
  void save();
  bool is_out_of_time() const;

  TrainingPlan plan_;
  const data::DataSet& data_;
  RunFolder folder_;
  Runtime runtime_;
  TrainingEvents events_;
  base::ThreadPool evaluation_pool_;
  ByteFormer module_;
  AdamW optimizer_;
  Progress progress_;
  std::vector<std::vector<std::uint8_t>> validation_files_;  // prepared once, those that could be read
  Outcome outcome_;
};

Trainer::Run::Run(TrainingPlan plan, const data::DataSet& data, RunFolder folder, const Runtime& runtime,
                  TrainingEvents events)
    : plan_(std::move(plan)),
      data_(data),
      folder_(std::move(folder)),
      runtime_(runtime),
      events_(std::move(events)),
      evaluation_pool_(runtime.num_threads),
      module_(plan_.config, module_options(plan_, runtime)),
      optimizer_(module_.parameters(), {.weight_decay = plan_.weight_decay, .ema_momentum = plan_.ema_momentum},
                 module_.thread_pool()) {
  set_torch_threads(module_, runtime_);
  const bool is_released = plan_.initialisation == "released";
  initialise(module_.parameters(), plan_.config,
             is_released ? Initialisation::kReleased : Initialisation::kTruncatedNormal, plan_.seed);
  if (!plan_.init_from.empty()) adapt(module_.parameters(), plan_.config, plan_.init_from);
  optimizer_.state().average.copy_(module_.parameters().values());
  folder_.load(module_.parameters(), optimizer_.state(), progress_);
}

Outcome Trainer::Run::train() {
  data::Loader loader(data_.train, loader_options(plan_, data_, runtime_), static_cast<std::size_t>(progress_.step));
  auto last_save = Clock::now();
  double seconds_between_saves = kLeastSecondsBetweenCheckpoints;
  bool stops = false;
  while (progress_.step < plan_.schedule.total_steps && !stops && !is_out_of_time()) {
    const auto start = Clock::now();
    step(loader.next());
    progress_.seconds += seconds_since(start);
    stops = events_.should_stop && events_.should_stop();
    const bool is_last = progress_.step == plan_.schedule.total_steps || is_out_of_time();
    if (is_last || progress_.step % plan_.evaluate_every == 0) {
      const auto before = Clock::now();
      evaluate();
      progress_.seconds += seconds_since(before);
    }
    if (stops || is_last || seconds_since(last_save) > seconds_between_saves) {
      const auto before = Clock::now();
      save();
      last_save = Clock::now();
      seconds_between_saves = std::max(kLeastSecondsBetweenCheckpoints, seconds_since(before) / kCheckpointShare);
    }
  }
  outcome_.is_out_of_time = progress_.step < plan_.schedule.total_steps && is_out_of_time();
  outcome_.is_finished = progress_.step == plan_.schedule.total_steps || outcome_.is_out_of_time;
  outcome_.progress = progress_;
  if (outcome_.is_finished) judge_best();
  return std::move(outcome_);
}

/// Answers of the weights that were kept, which may be those of an earlier session.
void Trainer::Run::judge_best() {
  if (progress_.history.empty()) evaluate();
  const format::ModelFolder kept = format::read_model_folder(folder_.model_dir());
  module_.parameters().load(kept.tensors);
  outcome_.validation = validation_answers(module_.parameters().values());
  outcome_.temperature = kept.config.temperature;
}

bool Trainer::Run::is_out_of_time() const {
  return plan_.time_s > 0 && progress_.seconds > plan_.time_s * kTimeTolerance;
}

void Trainer::Run::step(std::vector<data::LoadedFile> files) {
  const auto start = Clock::now();
  for (data::LoadedFile& file : files)
    if (file.error.empty() && !fits(file.bytes.size()))
      file.error = base::printable(data_.train[file.sample].path) + ": " + too_long(file.bytes.size());
  note_failures(files);
  const auto num_good = static_cast<std::size_t>(
      std::ranges::count_if(files, [](const data::LoadedFile& file) { return file.error.empty(); }));
  if (has_noise(plan_)) seed_step(plan_.seed, progress_.step);
  const double rate = learning_rate(plan_.schedule, progress_.step);
  const double scale = plan_.precision == "fp16" ? progress_.loss_scale : 1;
  module_.parameters().gradients().zero_();
  const double loss = num_good > 0 ? accumulate(files, num_good, scale) : 0;
  const double norm = optimizer_.gradient_norm() / scale;
  if (std::isfinite(loss) && !std::isfinite(norm) && plan_.precision == "fp16") {
    progress_.loss_scale /= 2;  // too large for float16: the step is skipped, as usual
    progress_.good_steps = 0;
  } else if (!std::isfinite(loss) || !std::isfinite(norm)) {
    format::fail(ErrorCode::kInternal, "the loss is no longer finite at step ", progress_.step + 1,
                 ". The last checkpoint and the best model so far are in ", base::printable(folder_.model_dir()),
                 ". Try a smaller --learning-rate (now ", plan_.schedule.max_lr,
                 "), --clip-norm 1, or float32 instead of ", plan_.precision);
  } else if (num_good > 0) {
    const double clipped = plan_.clip_norm > 0 && norm > plan_.clip_norm ? plan_.clip_norm / norm : 1;
    optimizer_.step(rate, clipped / scale);
    if (plan_.precision == "fp16" && ++progress_.good_steps % 2000 == 0) progress_.loss_scale *= 2;
  }
  ++progress_.step;
  progress_.loss_sum += loss;
  ++progress_.loss_count;
  if (events_.on_step)
    events_.on_step({progress_.step, loss, rate, norm, static_cast<std::int64_t>(num_good), seconds_since(start)});
}

/// Gradients of the mean loss of the good files, pass by pass; returns that loss.
double Trainer::Run::accumulate(const std::vector<data::LoadedFile>& files, std::size_t num_good, double loss_scale) {
  std::vector<std::span<const std::uint8_t>> bytes;
  std::vector<Target> targets;
  for (const data::LoadedFile& file : files) {
    if (!file.error.empty()) continue;
    bytes.emplace_back(file.bytes);
    targets.push_back({file.label, file.other_label, file.first_share, 1});
  }
  module_.set_training(true);
  double loss = 0;
  for (std::size_t first = 0; first < bytes.size();) {
    const std::size_t last = end_of_pass(module_, bytes, first, plan_.token_budget);
    const torch::Tensor sum = cross_entropy_sum(module_.forward(std::span(bytes).subspan(first, last - first)),
                                                std::span(targets).subspan(first, last - first), plan_.label_smoothing);
    const torch::Tensor mean = sum / static_cast<double>(num_good);
    (mean * loss_scale).backward();
    loss += mean.item<double>();
    first = last;
  }
  return loss;
}

/// Whether there are positions for all tokens of a file.
bool Trainer::Run::fits(std::size_t num_bytes) const {
  return plan_.config.position_embedding == format::PositionEmbedding::kSinusoidal ||
         module_.num_tokens(static_cast<std::int64_t>(num_bytes)) <= plan_.config.max_position_embeddings;
}

std::string Trainer::Run::too_long(std::size_t num_bytes) const {
  return format::joined("needs ", module_.num_tokens(static_cast<std::int64_t>(num_bytes)),
                        " tokens, but the model has positions for ", plan_.config.max_position_embeddings);
}

void Trainer::Run::note_failures(const std::vector<data::LoadedFile>& files) {
  for (const data::LoadedFile& file : files) {
    if (file.error.empty() || std::ranges::find(progress_.failures, file.error) != progress_.failures.end()) continue;
    progress_.failures.push_back(file.error);
    if (events_.on_message) events_.on_message("skipped: " + file.error);
  }
  const auto limit =
      std::max(static_cast<double>(kMostFailuresAlways), kMostFailureShare * static_cast<double>(data_.train.size()));
  if (static_cast<double>(progress_.failures.size()) > limit)
    format::fail(ErrorCode::kInvalidFormat, progress_.failures.size(), " of ", data_.train.size(),
                 " training files cannot be used, which is too many; the first: ", progress_.failures.front());
}

void Trainer::Run::load_validation() {
  if (!validation_files_.empty()) return;
  for (std::size_t i = 0; i < data_.validation.size(); ++i) {
    const data::Sample& sample = data_.validation[i];
    try {
      encode::FileBytes bytes = data::load_for_evaluation(sample, plan_.preprocess);
      if (!fits(bytes.size()))
        throw Error(ErrorCode::kTooManyTokens, base::printable(sample.path) + ": " + too_long(bytes.size()));
      if (bytes.empty()) throw Error(ErrorCode::kEmptyFile, base::printable(sample.path) + ": is empty");
      validation_files_.push_back(std::move(bytes));
      outcome_.validation_samples.push_back(i);
    } catch (const Error& error) {
      if (events_.on_message) events_.on_message(std::string("skipped in validation: ") + error.what());
    }
  }
}

/// Answers of `weights`, flat, for the validation files.
data::Answers Trainer::Run::validation_answers(const torch::Tensor& weights) {
  load_validation();
  const std::vector<std::span<const std::uint8_t>> files(validation_files_.begin(), validation_files_.end());
  std::vector<int> labels;
  for (const std::size_t i : outcome_.validation_samples) labels.push_back(data_.validation[i].label);
  if (module_.device().is_cpu())
    return engine_answers(plan_.config, module_.parameters(), weights, files, labels, evaluation_pool_);
  torch::NoGradGuard no_grad;
  torch::Tensor& values = module_.parameters().values();
  const torch::Tensor trained = values.clone();
  values.copy_(weights);
  module_.set_training(false);
  data::Answers answers;
  answers.num_classes = static_cast<std::size_t>(plan_.config.num_labels);
  for (std::size_t first = 0; first < files.size();) {
    const std::size_t last = end_of_pass(module_, files, first, plan_.token_budget);
    const torch::Tensor logits =
        module_.forward(std::span(files).subspan(first, last - first)).to(torch::kCPU, torch::kFloat32).contiguous();
    for (std::size_t i = first; i < last; ++i)
      answers.add({logits.data_ptr<float>() + (i - first) * answers.num_classes, answers.num_classes}, labels[i]);
    first = last;
  }
  values.copy_(trained);
  return answers;
}

void Trainer::Run::evaluate() {
  const data::Answers answers = validation_answers(optimizer_.state().average);
  const data::Metrics metrics = data::measure(answers);
  Evaluation evaluation;
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
}

/// The averaged weights become the model if no earlier ones were better.
void Trainer::Run::keep_if_best(const data::Answers& answers, const Evaluation& evaluation) {
  const bool is_better = evaluation.top1 > progress_.best_top1 ||
                         (evaluation.top1 == progress_.best_top1 && evaluation.loss <= progress_.best_loss);
  if (!is_better) return;
  format::ModelConfig config = plan_.config;
  config.temperature = data::fit_temperature(answers);
  if (!write_or_say([&] { folder_.write_model(config, module_.parameters(), optimizer_.state().average); })) return;
  progress_.best_top1 = evaluation.top1;
  progress_.best_loss = evaluation.loss;
  progress_.best_step = evaluation.step;
}

void Trainer::Run::save() {
  write_or_say([&] { folder_.save(module_.parameters(), optimizer_.state(), progress_); });
}

/// A full disk must not cost an hour of training: it is said, and tried again at the next checkpoint; only at the end
/// it is an error. Returns whether it was written.
bool Trainer::Run::write_or_say(const std::function<void()>& write) {
  try {
    write();
    return true;
  } catch (const Error& error) {
    if (progress_.step >= plan_.schedule.total_steps || error.code() != ErrorCode::kIo) throw;
    if (events_.on_message)
      events_.on_message(std::string("could not be saved: ") + error.what() + "; training goes on, and tries again");
    return false;
  }
}

Trainer::Trainer(TrainingPlan plan, const data::DataSet& data, RunFolder folder, const Runtime& runtime,
                 TrainingEvents events)
    : run_(std::make_unique<Run>(std::move(plan), data, std::move(folder), runtime, std::move(events))) {}

Trainer::~Trainer() = default;

Outcome Trainer::run() { return run_->train(); }

const Progress& Trainer::progress() const noexcept { return run_->progress(); }

bool has_cuda() { return torch::cuda::is_available(); }

double measure_step_seconds(const TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
  constexpr int kWarmUp = 2;
  constexpr double kSeconds = 5;
  constexpr int kMostSteps = 20;
  ByteFormer module(plan.config, module_options(plan, runtime));
  initialise(module.parameters(), plan.config, Initialisation::kReleased, plan.seed);
  set_torch_threads(module, runtime);
  AdamW optimizer(module.parameters(), {}, module.thread_pool());
  data::Loader loader(data.train, loader_options(plan, data, runtime));
  std::vector<double> seconds;
  for (int i = 0; i < kWarmUp + kMostSteps; ++i) {
    const auto start = Clock::now();
    const std::vector<data::LoadedFile> files = loader.next();
    std::vector<std::span<const std::uint8_t>> bytes;
    for (const data::LoadedFile& file : files)
      if (file.error.empty()) bytes.emplace_back(file.bytes);
    module.parameters().gradients().zero_();
    for (std::size_t first = 0; first < bytes.size();) {
      const std::size_t last = end_of_pass(module, bytes, first, plan.token_budget);
      cross_entropy_sum(module.forward(std::span(bytes).subspan(first, last - first)),
                        std::vector<Target>(last - first), plan.label_smoothing)
          .backward();
      first = last;
    }
    optimizer.step(0);
    if (i >= kWarmUp) seconds.push_back(seconds_since(start));
    double sum = 0;
    for (const double s : seconds) sum += s;
    if (sum > kSeconds) break;
  }
  double sum = 0;  // the mean, not the median: slow batches take their time in training too
  for (const double s : seconds) sum += s;
  return sum / static_cast<double>(seconds.size());
}

}  // namespace byteformer::train
