// Gathers pairs of rows and multiplies them.
#include "nn/token_merge.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::nn {
namespace {

constexpr std::size_t kTaskPairs = 64;

/// The reduction's columns reordered from channel-major to [first row | second row], both padded, so that a pair of
/// rows is multiplied as it lies in memory.
Linear pair_linear(LinearKernels kernels, const LinearView& view, std::size_t hidden_size) {
  BF_DCHECK_EQ(view.weight.size(), hidden_size * 2 * hidden_size);
  BF_DCHECK(view.bias.empty());
  const std::size_t row_size = kernels::padded(hidden_size);
  base::AlignedBuffer<float> weight(hidden_size * 2 * row_size);
  for (std::size_t out = 0; out < hidden_size; ++out) {
    for (std::size_t channel = 0; channel < hidden_size; ++channel) {
      const float* from = view.weight.data() + (out * hidden_size + channel) * 2;
      weight[out * 2 * row_size + channel] = from[0];
      weight[(out * 2 + 1) * row_size + channel] = from[1];
    }
  }
  return {kernels, {.weight = weight.span(), .bias = {}}, 2 * row_size, hidden_size};
}

}  // namespace

TokenMerge::TokenMerge(LinearKernels kernels, const TokenMergeView& view, std::size_t hidden_size, float eps)
    : hidden_size_(hidden_size),
      reduction_(pair_linear(kernels, view.reduction, hidden_size)),
      norm_(*kernels.full, view.norm, eps) {}

const float* TokenMerge::operator()(WindowCutter& cutter, Workers& workers) const {
  return run(cutter.rows(), cutter.order(), cutter.windows(), workers);
}

const float* TokenMerge::run(const float* rows, std::span<const std::int32_t> order, std::span<const Window> pairs,
                             Workers& workers) const {
  const std::size_t row_size = kernels::padded(hidden_size_);
  float* merged = workers.shared.get(pairs.size() * row_size);
  workers.reserve(0, std::min(kTaskPairs, pairs.size()) * 2 * row_size, 0);
  reduction_.reserve(std::min(kTaskPairs, pairs.size()), workers);
  const std::size_t tasks = (pairs.size() + kTaskPairs - 1) / kTaskPairs;
  workers.pool.parallel_for(tasks, [&](std::size_t task, int worker) noexcept {
    const std::size_t first = task * kTaskPairs;
    const std::size_t count = std::min(kTaskPairs, pairs.size() - first);
    WorkerScratch& scratch = workers.of(worker);
    float* gathered = scratch.wide.get(count * 2 * row_size);
    for (std::size_t p = 0; p < count; ++p) {
      const Window& pair = pairs[first + p];
      BF_DCHECK(pair.num_rows == 1 || pair.num_rows == 2);
      BF_DCHECK_LE(pair.begin + pair.num_rows, order.size());
      float* to = gathered + p * 2 * row_size;
      for (std::size_t i = 0; i < pair.num_rows; ++i) {
        const auto row = static_cast<std::size_t>(order[pair.begin + i]);
        std::copy_n(rows + row * row_size, row_size, to + i * row_size);
      }
      if (pair.num_rows == 1) std::fill_n(to + row_size, row_size, 0.0f);
    }
    float* out = merged + first * row_size;
    reduction_.run({.a = gathered, .a_stride = 2 * row_size, .rows = count, .c = out, .c_stride = row_size}, scratch);
    norm_.run(out, nullptr, count, out);
  });
  return merged;
}

}  // namespace byteformer::nn
