// What the loader of a training is given, and the time of a step, for plans with a budget of time.
#include "train/step_time.hpp"

#include <span>
#include <vector>

#include "train/module.hpp"
#include "train/optimizer.hpp"
#include "train/ranks.hpp"
#include "train/shares.hpp"
#include "train/trainer.hpp"
#include "train/validation_set.hpp"

namespace byteformer::train {
namespace {

/// Which files of a batch `ranks` loads and computes: all ranks know the whole batch, and share it out alike.
auto chooser_of_places(const plan::TrainingPlan& plan, const data::DataSet& data, const Ranks& ranks) {
  return [costs = costs_of(data.train, plan), rank = ranks.rank(),
          num_ranks = ranks.size()](std::span<const std::size_t> samples) {
    std::vector<std::int64_t> of_batch;
    for (const std::size_t sample : samples) of_batch.push_back(costs[sample]);
    return share_of(rank, of_batch, num_ranks);
  };
}

}  // namespace

data::LoaderOptions loader_options(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
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
  if (runtime.ranks != nullptr && runtime.ranks->are_many())
    options.choose_places = chooser_of_places(plan, data, *runtime.ranks);
  if (plan.sound_augmentation.noise_db != 0 && plan.preprocess.sound)
    options.background = data::load_background(data.background, *plan.preprocess.sound);
  return options;
}

double measure_step_seconds(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
  constexpr int kWarmUpSteps = 2;
  constexpr int kMostSteps = 10, kEnoughSteps = 5;
  constexpr double kMostSeconds = 5, kEnoughSeconds = 0.2;  // somebody waits for the plan
  Module module = make_module(plan, runtime);
  initialise(module.parameters(), plan.config, Initialisation::kReleased, plan.seed);
  Optimizer optimizer(module.parameters(), {.rule = parse_step_rule(plan.optimizer)}, module.thread_pool());
  data::Loader loader(data.train, loader_options(plan, data, runtime));
  const auto step = [&] {
    const std::vector<data::LoadedFile> files = loader.next();
    std::vector<std::span<const std::uint8_t>> bytes;
    for (const data::LoadedFile& file : files)
      if (file.error.empty() && reason_it_does_not_fit(module, file.bytes.size()).empty())
        bytes.emplace_back(file.bytes);
    for_each_pass(module, bytes, plan.token_budget, [&](std::size_t first, std::size_t last) {
      cross_entropy_sum(module.forward(std::span(bytes).subspan(first, last - first)),
                        std::vector<Target>(last - first), plan.label_smoothing)
          .backward();
    });
    optimizer.step(0);
  };
  for (int i = 0; i < kWarmUpSteps; ++i) step();
  const Stopwatch stopwatch;
  int num_steps = 0;
  while (num_steps < kMostSteps && stopwatch.seconds() < (num_steps < kEnoughSteps ? kMostSeconds : kEnoughSeconds)) {
    step();
    ++num_steps;
  }
  return stopwatch.seconds() / num_steps;  // the mean, not the median: slow batches take their time in training too
}

}  // namespace byteformer::train
