// Gradients of a value by the embedded bytes, integrated along a line by Gauss and Legendre's rule.
#include "train/integrated_gradients.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "byteformer/error.hpp"
#include "nn/geometry.hpp"
#include "train/module.hpp"

namespace byteformer::train {
namespace {

constexpr std::int64_t kTokensAPass = 8192;

/// The explained quantity of each row of `logits` [files, classes], in double.
torch::Tensor values_of(const torch::Tensor& logits, const GradientOptions& options, double temperature) {
  const torch::Tensor all = logits.to(torch::kFloat64);
  const torch::Tensor own = all.select(1, options.label);
  if (options.of_logit) return own;
  const torch::Tensor others = torch::cat(
      {all.narrow(1, 0, options.label), all.narrow(1, options.label + 1, all.size(1) - options.label - 1)}, 1);
  return own / temperature - torch::logsumexp(others / temperature, 1);
}

/// The integral over the line of the gradients of the tokens, [tokens, hidden].
class Line {
 public:
  Line(Module& module, torch::Tensor from, torch::Tensor to, const GradientOptions& options)
      : module_(module), from_(std::move(from)), to_(std::move(to)), options_(options) {}

  torch::Tensor integral() {
    const std::vector<QuadraturePoint> points = gauss_legendre(options_.steps);
    const auto a_pass = static_cast<std::size_t>(std::max<std::int64_t>(1, kTokensAPass / from_.size(0)));
    torch::Tensor sum = torch::zeros_like(from_);
    for (std::size_t first = 0; first < points.size(); first += a_pass) {
      const auto pass = std::span(points).subspan(first, std::min(a_pass, points.size() - first));
      sum += gradients(pass);
      if (options_.on_step) options_.on_step(static_cast<int>(first + pass.size()));
    }
    return sum;
  }

  double value_at(double t) {
    const torch::NoGradGuard guard;
    return values_of(module_.logits({rows_at(t), {from_.size(0)}}), options_, module_.config().temperature)
        .item<double>();
  }

 private:
  torch::Tensor rows_at(double t) const { return (from_ + t * (to_ - from_)).contiguous(); }

  torch::Tensor gradients(std::span<const QuadraturePoint> points) {
    std::vector<torch::Tensor> rows;
    std::vector<double> weights;
    for (const QuadraturePoint& point : points) {
      rows.push_back(rows_at(point.at));
      weights.push_back(point.weight);
    }
    const torch::Tensor x = torch::cat(rows).requires_grad_(true);
    const torch::Tensor logits = module_.logits({x, std::vector<std::int64_t>(points.size(), from_.size(0))});
    const torch::Tensor values = values_of(logits, options_, module_.config().temperature);
    (values * torch::tensor(weights, values.options().requires_grad(false))).sum().backward();
    return x.grad().view({static_cast<std::int64_t>(points.size()), from_.size(0), from_.size(1)}).sum(0);
  }

  Module& module_;
  torch::Tensor from_, to_;
  const GradientOptions& options_;
};

/// Shares the gradient of each token out to the bytes that it reads: T[j][b] . g = E[b] . (W_j^T g) for each tap j.
std::vector<float> heat_of_bytes(Module& module, std::span<const std::uint8_t> file, const torch::Tensor& gradient) {
  const format::ModelConfig& config = module.config();
  const bool has_convolution = config.conv_kernel_size > 0;
  const nn::TokenGeometry geometry(config.conv_kernel_size, config.masking);
  const auto taps = static_cast<std::int64_t>(geometry.taps()), stride = static_cast<std::int64_t>(geometry.stride());
  const std::int64_t num_tokens = gradient.size(0);
  const auto num_bytes = static_cast<std::int64_t>(file.size());
  const torch::Tensor embedding = module.parameters()["embeddings.weight"];
  std::vector<double> heat(file.size());
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const std::int64_t tokens = std::min(num_tokens, num_bytes > tap ? (num_bytes - tap - 1) / stride + 1 : 0);
    std::vector<std::int64_t> ids;
    for (std::int64_t t = 0; t < tokens; ++t) ids.push_back(file[static_cast<std::size_t>(t * stride + tap)]);
    torch::Tensor back = gradient.narrow(0, 0, tokens);
    if (has_convolution) back = torch::mm(back, module.parameters()["token_reduction_net.weight"].select(2, tap));
    const torch::Tensor products =
        (back * embedding.index_select(0, torch::tensor(ids, torch::kInt64).to(back.device())))
            .to(torch::kFloat64)
            .sum(1)
            .to(torch::kCPU)
            .contiguous();
    for (std::int64_t t = 0; t < tokens; ++t)
      heat[static_cast<std::size_t>(t * stride + tap)] += products.data_ptr<double>()[t];
  }
  return {heat.begin(), heat.end()};
}

/// P_n and its derivative at x in (-1, 1), by Bonnet's recursion.
struct Legendre {
  double value, slope;
};
Legendre legendre(int n, double x) {
  double before = 1, value = x;
  for (int k = 2; k <= n; ++k) {
    const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  return {value, n * (x * value - before) / (x * x - 1)};
}

}  // namespace

std::vector<QuadraturePoint> gauss_legendre(int num_points) {
  constexpr int kMostIterations = 100;
  std::vector<QuadraturePoint> points;
  for (int i = 0; i < num_points; ++i) {
    double x = -std::cos(std::numbers::pi * (i + 0.75) / (num_points + 0.5));
    Legendre p = legendre(num_points, x);
    for (int iteration = 0; iteration < kMostIterations && std::abs(p.value / p.slope) > 1e-15; ++iteration) {
      x -= p.value / p.slope;
      p = legendre(num_points, x);
    }
    points.push_back({(1 + x) / 2, 1 / ((1 - x * x) * p.slope * p.slope)});
  }
  return points;
}

IntegratedGradients integrated_gradients(Module& module, std::span<const std::uint8_t> file,
                                         const GradientOptions& options) {
  if (!options.of_logit && module.config().num_labels < 2)
    throw Error(ErrorCode::kUnsupported, "the model has one class, which it always answers: its log-odds say nothing");
  torch::Tensor tokens, positions;
  {
    const torch::NoGradGuard guard;
    tokens = module.stem(std::span(&file, 1)).rows;
    positions = module.positions(tokens.size(0)).clone();
  }
  module.set_training(false);
  Line line(module, positions, tokens, options);
  IntegratedGradients result;
  result.value = line.value_at(1);
  result.value_without = line.value_at(0);
  const torch::Tensor gradient = line.integral();
  const torch::NoGradGuard guard;
  result.heat = heat_of_bytes(module, file, gradient);
  return result;
}

IntegratedGradients integrated_gradients(const format::ModelFolder& folder, int num_threads,
                                         std::span<const std::uint8_t> file, const GradientOptions& options) {
  if (num_threads > 0) at::set_num_threads(num_threads);
  Module module(folder.config, {.num_threads = num_threads});
  module.parameters().load(folder.tensors);
  return integrated_gradients(module, file, options);
}

}  // namespace byteformer::train
