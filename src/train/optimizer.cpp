// Implementation of optimizer.hpp.
#include "train/optimizer.hpp"

#include <ATen/Parallel.h>

#include <cmath>

namespace byteformer::train {
namespace {

/// The numbers of one step.
struct Step {
  float learning_rate, gradient_scale, decay, beta1, beta2, eps, bias1, root_bias2, momentum;
};

/// All of a step in one pass over memory.
void step_on_cpu(const Step& s, std::int64_t num_decayed, std::int64_t size, float* w, const float* g, float* m,
                 float* v, float* average) {
  constexpr std::int64_t kGrain = 1 << 15;
  at::parallel_for(0, size, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const float step_size = s.learning_rate / s.bias1;
    for (std::int64_t i = begin; i < end; ++i) {
      const float gradient = g[i] * s.gradient_scale;
      float weight = w[i];
      if (i < num_decayed) weight *= s.decay;
      m[i] = s.beta1 * m[i] + (1 - s.beta1) * gradient;
      v[i] = s.beta2 * v[i] + (1 - s.beta2) * gradient * gradient;
      weight -= step_size * m[i] / (std::sqrt(v[i]) / s.root_bias2 + s.eps);
      w[i] = weight;
      average[i] += s.momentum * (weight - average[i]);
    }
  });
}

void step_on_device(const Step& s, std::int64_t num_decayed, torch::Tensor& w, const torch::Tensor& gradients,
                    OptimizerState& state) {
  const torch::Tensor g = gradients * s.gradient_scale;
  w.narrow(0, 0, num_decayed).mul_(s.decay);
  state.first_moment.mul_(s.beta1).add_(g, 1 - s.beta1);
  state.second_moment.mul_(s.beta2).addcmul_(g, g, 1 - s.beta2);
  w.addcdiv_(state.first_moment, (state.second_moment.sqrt() / s.root_bias2).add_(s.eps), -s.learning_rate / s.bias1);
  state.average.add_(w - state.average, s.momentum);
}

}  // namespace

AdamW::AdamW(Parameters& parameters, const OptimizerOptions& options) : parameters_(parameters), options_(options) {
  state_.first_moment = torch::zeros_like(parameters.values());
  state_.second_moment = torch::zeros_like(parameters.values());
  state_.average = parameters.values().clone();
}

void AdamW::step(double learning_rate, double gradient_scale) {
  torch::NoGradGuard no_grad;
  ++state_.num_steps;
  const auto steps = static_cast<double>(state_.num_steps);
  const Step s{.learning_rate = static_cast<float>(learning_rate),
               .gradient_scale = static_cast<float>(gradient_scale),
               .decay = static_cast<float>(1 - learning_rate * options_.weight_decay),
               .beta1 = static_cast<float>(options_.beta1),
               .beta2 = static_cast<float>(options_.beta2),
               .eps = static_cast<float>(options_.eps),
               .bias1 = static_cast<float>(1 - std::pow(options_.beta1, steps)),
               .root_bias2 = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, steps))),
               .momentum = static_cast<float>(options_.ema_momentum)};
  torch::Tensor& w = parameters_.values();
  if (w.is_cpu()) {
    step_on_cpu(s, parameters_.num_decayed(), parameters_.size(), w.data_ptr<float>(),
                parameters_.gradients().data_ptr<float>(), state_.first_moment.data_ptr<float>(),
                state_.second_moment.data_ptr<float>(), state_.average.data_ptr<float>());
  } else {
    step_on_device(s, parameters_.num_decayed(), w, parameters_.gradients(), state_);
  }
}

double AdamW::gradient_norm() const { return parameters_.gradients().norm().item<double>(); }

}  // namespace byteformer::train
