// Steps on our own kernels on a CPU, on LibTorch's operators elsewhere; and the loss that they follow.
#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "byteformer/error.hpp"
#include "train/shares.hpp"

namespace byteformer::train {
namespace {

constexpr std::int64_t kChunk = 1 << 15;  // elements

/// Calls body(i, worker) for i in [0, count), on the threads of `pool` if there is one.
template <typename Body>
void for_each(base::ThreadPool* pool, std::size_t count, const Body& body) {
  if (pool != nullptr) return pool->parallel_for(count, body);
  for (std::size_t i = 0; i < count; ++i) body(i, 0);
}

/// What muon_direction() computes, on any device.
torch::Tensor orthogonal(torch::Tensor x) {
  const bool is_tall = x.size(0) > x.size(1);
  if (is_tall) x = x.t();
  x = x / (x.norm() + 1e-30);
  for (int i = 0; i < backprop::kMuonIterations; ++i) {
    const torch::Tensor gram = x.mm(x.t());
    x = torch::addmm(x, torch::addmm(gram, gram, gram, backprop::kMuonCubic, backprop::kMuonQuintic), x,
                     backprop::kMuonLinear);
  }
  return is_tall ? x.t() : x;
}

}  // namespace

StepRule parse_step_rule(const std::string& name) {
  if (name == "adamw") return StepRule::kAdamW;
  if (name == "muon") return StepRule::kMuon;
  throw Error(ErrorCode::kInvalidArgument, "no optimizer is called `" + name + "`");
}

Optimizer::Optimizer(Parameters& parameters, const OptimizerOptions& options, base::ThreadPool* pool, Ranks* ranks)
    : parameters_(parameters), options_(options), pool_(pool) {
  state_.first_moment = torch::zeros_like(parameters.values());
  state_.second_moment = torch::zeros_like(parameters.values());
  state_.average = parameters.values().clone();
  find_parts();
  const bool is_on_cpu = options.use_own_kernels && parameters.values().is_cpu();
  if (is_on_cpu && ranks != nullptr && ranks->are_many() && ranks->world().local_size == ranks->size())
    share_matrices(*ranks);
}

void Optimizer::find_parts() {
  std::vector<Span> whole;
  for (const auto& [name, leaf] : parameters_.all()) {
    const bool is_in_layer = name.starts_with("transformer.") || name.starts_with("downsamplers.");
    if (options_.rule == StepRule::kAdamW || !is_in_layer || leaf.dim() != 2) {
      whole.push_back({leaf.storage_offset(), leaf.storage_offset() + leaf.numel(), leaf.dim() > 1});
      continue;
    }
    const std::int64_t num_parts = name.ends_with("qkv_proj.weight") ? 3 : 1;
    const std::int64_t rows = leaf.size(0) / num_parts;
    for (std::int64_t i = 0; i < num_parts; ++i)
      matrices_.push_back({leaf.storage_offset() + i * rows * leaf.size(1), rows, leaf.size(1)});
  }
  std::ranges::sort(whole, {}, &Span::begin);
  for (const Span& span : whole)
    for (std::int64_t begin = span.begin; begin < span.end; begin += kChunk)
      spans_.push_back({begin, std::min(span.end, begin + kChunk), span.decays});
  std::ranges::stable_sort(matrices_, std::ranges::greater(), [](const Matrix& m) { return m.rows * m.columns; });
  if (!parameters_.values().is_cpu()) return;
  std::size_t scratch = 0;
  for (const Matrix& m : matrices_) {
    const auto rows = static_cast<std::size_t>(m.rows), columns = static_cast<std::size_t>(m.columns);
    scratch = std::max(scratch, backprop::muon_scratch_size(rows, columns) + kernels::padded(rows * columns));
  }
  arenas_.resize(pool_ != nullptr ? static_cast<std::size_t>(pool_->num_threads()) : 1);
  for (backprop::Arena& arena : arenas_) arena.reserve(scratch);
}

void Optimizer::share_matrices(Ranks& ranks) {
  ranks_ = &ranks;
  std::vector<std::int64_t> costs;
  for (const Matrix& m : matrices_) costs.push_back(m.size() * std::min(m.rows, m.columns));
  owners_ = share_out(costs, ranks.size());
  std::int64_t size = 0;
  for (const Matrix& m : matrices_) size += m.size();
  directions_ = torch::zeros({size});
  for (std::int64_t rank = 0, begin = 0, end = 0; rank < ranks.size(); ++rank, begin = end) {
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      if (owners_[i] != rank) continue;
      matrices_[i].place = end;
      end += matrices_[i].size();
    }
    shares_.push_back(directions_.narrow(0, begin, end - begin));
  }
}

backprop::MuonArgs Optimizer::of_matrix(const Matrix& m, backprop::MuonArgs args) const noexcept {
  args.rows = static_cast<std::size_t>(m.rows);
  args.columns = static_cast<std::size_t>(m.columns);
  args.weights = parameters_.values().data_ptr<float>() + m.begin;
  args.gradients = parameters_.gradients().data_ptr<float>() + m.begin;
  args.momentum = state_.first_moment.data_ptr<float>() + m.begin;
  args.average = state_.average.data_ptr<float>() + m.begin;
  args.step_size *= backprop::muon_scale(args.rows, args.columns);
  return args;
}

kernels::AdamWArgs Optimizer::of_span(const Span& span, kernels::AdamWArgs args) const noexcept {
  args.count = static_cast<std::size_t>(span.end - span.begin);
  args.weights = parameters_.values().data_ptr<float>() + span.begin;
  args.gradients = parameters_.gradients().data_ptr<float>() + span.begin;
  args.first_moment = state_.first_moment.data_ptr<float>() + span.begin;
  args.second_moment = state_.second_moment.data_ptr<float>() + span.begin;
  args.average = state_.average.data_ptr<float>() + span.begin;
  if (!span.decays) args.decay = 1;
  return args;
}

/// On our own kernels. Each element is moved by one thread in one way, whatever the number of threads.
void Optimizer::step_on_cpu(const kernels::AdamWArgs& adamw, const backprop::MuonArgs& muon) {
  const kernels::Kernels& kernels = kernels::default_kernels();
  const kernels::TrainingKernels& training = kernels::training_kernels_for(kernels);
  const auto find_direction = [&](const backprop::MuonArgs& args, backprop::Arena& arena, float* direction) noexcept {
    float* const scratch = arena.take(backprop::muon_scratch_size(args.rows, args.columns));
    backprop::muon_direction(args, kernels, scratch, direction);
  };
  const std::size_t num_matrices = matrices_.size();
  if (ranks_ == nullptr) {
    for_each(pool_, num_matrices + spans_.size(), [&](std::size_t i, int worker) noexcept {
      if (i >= num_matrices) return training.adamw(of_span(spans_[i - num_matrices], adamw));
      const backprop::MuonArgs args = of_matrix(matrices_[i], muon);
      backprop::Arena& arena = arenas_[static_cast<std::size_t>(worker)];
      arena.clear();
      float* const direction = arena.take(args.rows * args.columns);
      find_direction(args, arena, direction);
      backprop::muon_move(args, direction);
    });
    return;
  }
  const auto is_own = [&](std::size_t i) { return owners_[i] == ranks_->rank(); };
  float* const directions = directions_.data_ptr<float>();
  for_each(pool_, num_matrices, [&](std::size_t i, int worker) noexcept {
    if (!is_own(i)) return;
    backprop::Arena& arena = arenas_[static_cast<std::size_t>(worker)];
    arena.clear();
    find_direction(of_matrix(matrices_[i], muon), arena, directions + matrices_[i].place);
  });
  for (int rank = 0; rank < ranks_->size(); ++rank)
    if (const torch::Tensor& share = shares_[static_cast<std::size_t>(rank)]; share.numel() > 0)
      ranks_->start_copy(share, rank);
  for_each(pool_, num_matrices + spans_.size(), [&](std::size_t i, int) noexcept {
    if (i >= num_matrices) return training.adamw(of_span(spans_[i - num_matrices], adamw));
    if (!is_own(i)) backprop::muon_momentum(of_matrix(matrices_[i], muon));
  });
  ranks_->finish();
  for_each(pool_, num_matrices, [&](std::size_t i, int) noexcept {
    backprop::muon_move(of_matrix(matrices_[i], muon), directions + matrices_[i].place);
  });
}

void Optimizer::step_on_device(const kernels::AdamWArgs& adamw, const backprop::MuonArgs& muon, float root_bias2) {
  torch::Tensor& w = parameters_.values();
  const torch::Tensor g = parameters_.gradients() * adamw.gradient_scale;
  w.narrow(0, 0, parameters_.num_decayed()).mul_(adamw.decay);
  std::vector<torch::Tensor> momenta;
  for (const Matrix& m : matrices_) {
    const auto of = [&](const torch::Tensor& flat) {
      return flat.narrow(0, m.begin, m.rows * m.columns).view({m.rows, m.columns});
    };
    momenta.push_back(of(state_.first_moment) * muon.beta + of(g));
    const float scale = backprop::muon_scale(static_cast<std::size_t>(m.rows), static_cast<std::size_t>(m.columns));
    of(w).sub_(orthogonal(momenta.back() * muon.beta + of(g)) * (muon.step_size * scale));
    of(g).zero_(), of(state_.first_moment).zero_();  // AdamW's loops over all elements then leave it alone
  }
  state_.first_moment.mul_(adamw.beta1).add_(g, 1 - adamw.beta1);
  state_.second_moment.mul_(adamw.beta2).addcmul_(g, g, 1 - adamw.beta2);
  w.addcdiv_(state_.first_moment, (state_.second_moment.sqrt() / root_bias2).add_(adamw.eps), -adamw.step_size);
  for (std::size_t i = 0; i < matrices_.size(); ++i)
    state_.first_moment.narrow(0, matrices_[i].begin, momenta[i].numel()).copy_(momenta[i].flatten());
  state_.average.add_(w - state_.average, adamw.momentum);
  parameters_.gradients().zero_();
}

void Optimizer::step(double learning_rate, double gradient_scale) {
  torch::NoGradGuard no_grad;
  ++state_.num_steps;
  const auto steps = static_cast<double>(state_.num_steps);
  const auto bias1 = static_cast<float>(1 - std::pow(options_.beta1, steps));
  const auto root_bias2 = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, steps)));
  const kernels::AdamWArgs adamw{.gradient_scale = static_cast<float>(gradient_scale),
                                 .decay = static_cast<float>(1 - learning_rate * options_.weight_decay),
                                 .beta1 = static_cast<float>(options_.beta1),
                                 .beta2 = static_cast<float>(options_.beta2),
                                 .step_size = static_cast<float>(learning_rate) / bias1,
                                 .inverse_root_bias2 = 1 / root_bias2,
                                 .eps = static_cast<float>(options_.eps),
                                 .momentum = static_cast<float>(options_.ema_momentum)};
  const backprop::MuonArgs muon{.gradient_scale = adamw.gradient_scale,
                                .decay = adamw.decay,
                                .beta = static_cast<float>(options_.muon_beta),
                                .step_size = static_cast<float>(learning_rate),
                                .average_momentum = adamw.momentum};
  if (options_.use_own_kernels && parameters_.values().is_cpu()) {
    step_on_cpu(adamw, muon);
  } else {
    step_on_device(adamw, muon, root_bias2);
  }
}

double Optimizer::gradient_norm() const {
  const torch::Tensor& gradients = parameters_.gradients();
  if (!gradients.is_cpu()) return gradients.norm().item<double>();
  const float* g = gradients.data_ptr<float>();
  const std::int64_t size = parameters_.size();
  std::vector<double> sums(static_cast<std::size_t>((size + kChunk - 1) / kChunk));
  for_each(pool_, sums.size(), [&](std::size_t chunk, int) noexcept {
    const std::int64_t begin = static_cast<std::int64_t>(chunk) * kChunk;
    double sum = 0;
    for (std::int64_t i = begin; i < std::min(size, begin + kChunk); ++i)
      sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
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
