// Adds normalised rows up in double, and classifies the mean when a file ends.
#include "nn/mean_head.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::nn {

MeanHead::MeanHead(LinearKernels kernels, const LayerNormView& norm, const LinearView& classifier,
                   std::size_t hidden_size, std::size_t num_labels, float eps)
    : hidden_size_(hidden_size),
      num_labels_(num_labels),
      norm_(*kernels.full, norm, eps),
      classifier_({*kernels.full, nullptr, kernels.arena}, classifier, hidden_size, num_labels) {}

void MeanHead::operator()(const PackedRows& x, MeanState& state, Workers& workers, FileVectors& out) const {
  BF_DCHECK(x.is_whole());
  BF_DCHECK_EQ(x.buffer.row_size(), kernels::padded(hidden_size_));
  BF_DCHECK(state.sums.empty() || state.sums.size() == hidden_size_);
  constexpr std::size_t kBlockRows = 64;
  const std::size_t row_size = kernels::padded(hidden_size_);
  state.sums.resize(hidden_size_);
  std::size_t row = 0;
  for (const Segment& segment : x.segments) {
    const std::size_t end = row + segment.num_rows + segment.num_late;
    state.count += end - row;
    while (row < end) {
      const std::size_t count = std::min(kBlockRows, end - row);
      float* normed = workers.scratch[0].normed.get(count * row_size);
      norm_.run(x.buffer.row(row), nullptr, count, normed);
      for (std::size_t r = 0; r < count; ++r)
        for (std::size_t c = 0; c < hidden_size_; ++c) state.sums[c] += static_cast<double>(normed[r * row_size + c]);
      row += count;
    }
    if (segment.ends) finish_file(state, workers, out);
  }
}

void MeanHead::finish_file(MeanState& state, Workers& workers, FileVectors& out) const {
  const std::size_t row_size = kernels::padded(hidden_size_);
  BF_DCHECK_LT(0, state.count);
  const std::size_t logits_size = kernels::padded(num_labels_);
  WorkerScratch& scratch = workers.scratch[0];
  float* mean = scratch.wide.get(row_size + logits_size);
  float* logits = mean + row_size;
  for (std::size_t c = 0; c < hidden_size_; ++c)
    mean[c] = static_cast<float>(state.sums[c] / static_cast<double>(state.count));
  classifier_.run({.a = mean, .a_stride = row_size, .rows = 1, .c = logits, .c_stride = logits_size}, scratch);
  out.features.insert(out.features.end(), mean, mean + hidden_size_);
  out.logits.insert(out.logits.end(), logits, logits + num_labels_);
  ++out.num_files;
  std::fill(state.sums.begin(), state.sums.end(), 0.0);
  state.count = 0;
}

}  // namespace byteformer::nn
