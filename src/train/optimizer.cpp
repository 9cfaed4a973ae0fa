// Steps on our own kernels on a CPU, on LibTorch's operators elsewhere; and the loss that they follow.
#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/training_kernels.hpp"

namespace byteformer::train {
namespace {

constexpr std::int64_t kChunk = 1 << 15;  // elements

/// Calls body(chunk, begin, end) for chunks of [0, size) that do not depend on the number of threads.
template <typename Body>
void for_each_chunk(base::ThreadPool* pool, std::int64_t size, const Body& body) {
  const auto num_chunks = static_cast<std::size_t>((size + kChunk - 1) / kChunk);
  const auto run = [&](std::size_t i, int) noexcept {
    const auto begin = static_cast<std::int64_t>(i) * kChunk;
    body(i, begin, std::min(size, begin + kChunk));
  };
  if (pool != nullptr) return pool->parallel_for(num_chunks, run);
  for (std::size_t i = 0; i < num_chunks; ++i) run(i, 0);
}

/// All of a step in one pass over memory, on our own kernels.
void step_on_cpu(const kernels::AdamWArgs& step, Parameters& parameters, const OptimizerState& state,
                 base::ThreadPool* pool) {
  const kernels::TrainingKernels& kernels = kernels::training_kernels_for(kernels::default_kernels());
  const auto run = [&](std::int64_t begin, std::int64_t end, float decay) {
    if (begin >= end) return;
    kernels::AdamWArgs args = step;
    args.count = static_cast<std::size_t>(end - begin);
    args.weights = parameters.values().data_ptr<float>() + begin;
    args.gradients = parameters.gradients().data_ptr<float>() + begin;
    args.first_moment = state.first_moment.data_ptr<float>() + begin;
    args.second_moment = state.second_moment.data_ptr<float>() + begin;
    args.average = state.average.data_ptr<float>() + begin;
    args.decay = decay;
    kernels.adamw(args);
  };
  const std::int64_t num_decayed = parameters.num_decayed();
  for_each_chunk(pool, parameters.size(), [&](std::size_t, std::int64_t begin, std::int64_t end) noexcept {
    run(begin, std::min(end, num_decayed), step.decay);
    run(std::max(begin, num_decayed), end, 1);
  });
}

void step_on_device(const kernels::AdamWArgs& step, float root_bias2, Parameters& parameters, OptimizerState& state) {
  torch::Tensor& w = parameters.values();
  const torch::Tensor g = parameters.gradients() * step.gradient_scale;
  w.narrow(0, 0, parameters.num_decayed()).mul_(step.decay);
  state.first_moment.mul_(step.beta1).add_(g, 1 - step.beta1);
  state.second_moment.mul_(step.beta2).addcmul_(g, g, 1 - step.beta2);
  w.addcdiv_(state.first_moment, (state.second_moment.sqrt() / root_bias2).add_(step.eps), -step.step_size);
  state.average.add_(w - state.average, step.momentum);
  parameters.gradients().zero_();
}

}  // namespace

AdamW::AdamW(Parameters& parameters, const OptimizerOptions& options, base::ThreadPool* pool)
    : parameters_(parameters), options_(options), pool_(pool) {
  state_.first_moment = torch::zeros_like(parameters.values());
  state_.second_moment = torch::zeros_like(parameters.values());
  state_.average = parameters.values().clone();
}

void AdamW::step(double learning_rate, double gradient_scale) {
  torch::NoGradGuard no_grad;
  ++state_.num_steps;
  const auto steps = static_cast<double>(state_.num_steps);
  const auto bias1 = static_cast<float>(1 - std::pow(options_.beta1, steps));
  const auto root_bias2 = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, steps)));
  const kernels::AdamWArgs step{.gradient_scale = static_cast<float>(gradient_scale),
                                .decay = static_cast<float>(1 - learning_rate * options_.weight_decay),
                                .beta1 = static_cast<float>(options_.beta1),
                                .beta2 = static_cast<float>(options_.beta2),
                                .step_size = static_cast<float>(learning_rate) / bias1,
                                .inverse_root_bias2 = 1 / root_bias2,
                                .eps = static_cast<float>(options_.eps),
                                .momentum = static_cast<float>(options_.ema_momentum)};
  if (parameters_.values().is_cpu()) {
    step_on_cpu(step, parameters_, state_, pool_);
  } else {
    step_on_device(step, root_bias2, parameters_, state_);
  }
}

double AdamW::gradient_norm() const {
  const torch::Tensor& gradients = parameters_.gradients();
  if (!gradients.is_cpu()) return gradients.norm().item<double>();
  const float* g = gradients.data_ptr<float>();
  std::vector<double> sums(static_cast<std::size_t>(parameters_.size() / kChunk + 1));
  for_each_chunk(pool_, parameters_.size(), [&](std::size_t chunk, std::int64_t begin, std::int64_t end) noexcept {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    sums[chunk] = sum;
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

torch::Tensor cross_entropy_sum(const torch::Tensor& logits, std::span<const Target> targets, double smoothing) {
  const std::int64_t classes = logits.size(1);
  torch::Tensor wanted = torch::full({logits.size(0), classes}, smoothing / static_cast<double>(classes));
  auto at = wanted.accessor<float, 2>();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& target = targets[i];
    const auto row = static_cast<std::int64_t>(i);
    const auto share = static_cast<float>(1 - smoothing);
    at[row][target.label] += share * target.first_share;
    at[row][target.other_label] += share * (1 - target.first_share);
    for (std::int64_t c = 0; c < classes; ++c) at[row][c] *= target.weight;
  }
  return -(torch::log_softmax(logits.to(torch::kFloat32), 1) * wanted.to(logits.device())).sum();
}

}  // namespace byteformer::train
