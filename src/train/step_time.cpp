// Implementation of step_time.hpp.
#include "train/step_time.hpp"

#include <span>
#include <vector>

#include "data/loader.hpp"
#include "train/assembly.hpp"
#include "train/loss.hpp"
#include "train/module.hpp"
#include "train/optimizer.hpp"
#include "train/stopwatch.hpp"
#include "train/validation_set.hpp"

namespace byteformer::train {

double measure_step_seconds(const plan::TrainingPlan& plan, const data::DataSet& data, const Runtime& runtime) {
  constexpr int kWarmUpSteps = 2;
  constexpr int kMostSteps = 20;
  constexpr double kSeconds = 5;
  ByteFormer module = make_module(plan, runtime);
  initialise(module.parameters(), plan.config, Initialisation::kReleased, plan.seed);
  AdamW optimizer(module.parameters(), {}, module.thread_pool());
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
  while (num_steps < kMostSteps && stopwatch.seconds() < kSeconds) {
    step();
    ++num_steps;
  }
  return stopwatch.seconds() / num_steps;  // the mean, not the median: slow batches take their time in training too
}

}  // namespace byteformer::train
