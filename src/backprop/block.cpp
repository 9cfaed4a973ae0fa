// Goes through a block a group of windows at a time, forward and backward.
#include "backprop/block.hpp"

#include <algorithm>

#include "backprop/linear.hpp"
#include "base/check.hpp"

namespace byteformer::backprop {
namespace {

using kernels::Epilogue;

// Rows whose gradients are computed before the weights' gradients take them up: they stay in the level-3 cache.
constexpr std::size_t kChunkRows = 512;
// Rows of the feed-forward network that are treated together: they stay in the level-2 cache.
constexpr std::size_t kFeedForwardRows = 64;

/// The four weights of a block in the form that products read.
struct PackedWeights {
  PackedWeights(const BlockShape& shape, const BlockWeights& weights, bool is_backward, TrainingWorkers& workers) {
    const std::size_t c = shape.hidden_size;
    const std::size_t f = shape.intermediate_size;
    workers.shared.reserve(4 * c * c + 2 * c * f);
    const Packing packings[] = {{weights.up_weight, f, c, weights.up_bias, &up},
                                {weights.down_weight, c, f, weights.down_bias, &down},
                                {weights.qkv_weight, 3 * c, c, weights.qkv_bias, &qkv},
                                {weights.out_weight, c, c, weights.out_bias, &out}};
    pack_weights(packings, is_backward, workers);
  }
  PackedWeight qkv, out, up, down;
};

/// What both passes assume.
void check([[maybe_unused]] const BlockShape& shape, [[maybe_unused]] const WindowPlan& plan,
           [[maybe_unused]] const BlockMemory& memory) {
  BF_DCHECK_EQ(shape.hidden_size % kernels::kRowAlignment, 0);
  BF_DCHECK_EQ(shape.intermediate_size % kernels::kRowAlignment, 0);
  BF_DCHECK_EQ(shape.hidden_size % shape.num_heads, 0);
  BF_DCHECK_LE(plan.rows.size() * 3 * shape.hidden_size, memory.qkv.size());
  BF_DCHECK_LE(plan.rows.size() * shape.hidden_size, memory.attended.size());
  BF_DCHECK_LE(plan.rows.size() * shape.hidden_size, memory.middle.size());
  BF_DCHECK_LE(plan.rows.size() * shape.intermediate_size, memory.up.size());
  BF_DCHECK(plan.groups.empty() || plan.groups.back().last_window == plan.windows.size());
}

void copy_rows(const float* x, const std::int32_t* rows, std::size_t num_rows, std::size_t row_size, float* to) {
  for (std::size_t r = 0; r < num_rows; ++r)
    std::copy_n(x + static_cast<std::size_t>(rows[r]) * row_size, row_size, to + r * row_size);
}

void copy_rows_back(const float* from, const std::int32_t* rows, std::size_t num_rows, std::size_t row_size, float* y) {
  for (std::size_t r = 0; r < num_rows; ++r)
    std::copy_n(from + r * row_size, row_size, y + static_cast<std::size_t>(rows[r]) * row_size);
}

/// One group of windows forward.
void forward_group(const BlockShape& shape, const BlockWeights& weights, const PackedWeights& packed,
                   const WindowPlan& plan, const WindowGroup& group, const float* x, BlockMemory& memory, float* y,
                   const kernels::Kernels& kernels, Arena& arena) noexcept {
  const std::size_t c = shape.hidden_size;
  const std::size_t f = shape.intermediate_size;
  const std::size_t n = group.num_rows;
  BF_DCHECK_LE(n, plan.largest_group);
  BF_DCHECK_LE(group.begin + n, plan.rows.size());
  const std::int32_t* rows = plan.rows.data() + group.begin;
  arena.clear();
  float* normed = arena.take(n * c);
  float* activated = arena.take(kFeedForwardRows * f);
  float* scratch = arena.take(kernels::attention_scratch_size(plan.largest_window, shape.head_dim()));
  float* qkv = memory.qkv.data() + group.begin * 3 * c;
  float* attended = memory.attended.data() + group.begin * c;
  float* middle = memory.middle.data() + group.begin * c;
  float* up = memory.up.data() + group.begin * f;

  kernels.layer_norm(x, rows, n, c, weights.attention_norm_weight, weights.attention_norm_bias, shape.layer_norm_eps,
                     normed);
  multiply(normed, n, packed.qkv, qkv, kernels);
  for (std::size_t w = group.first_window; w < group.last_window; ++w) {
    const nn::Window& window = plan.windows[w];
    const std::size_t offset = window.begin - group.begin;
    kernels.attend({.qkv = qkv + offset * 3 * c,
                    .qkv_stride = 3 * c,
                    .rows = window.num_rows,
                    .hidden = c,
                    .num_heads = shape.num_heads,
                    .num_filler = window.num_filler,
                    .filler_qkv = memory.filler_qkv.data(),
                    .out = attended + offset * c,
                    .out_stride = c,
                    .scratch = scratch});
  }
  copy_rows(x, rows, n, c, middle);
  multiply(attended, n, packed.out, middle, kernels, Epilogue::kAdd);
  kernels.layer_norm(middle, nullptr, n, c, weights.feed_forward_norm_weight, weights.feed_forward_norm_bias,
                     shape.layer_norm_eps, normed);
  copy_rows_back(middle, rows, n, c, y);
  for (std::size_t at = 0; at < n; at += kFeedForwardRows) {
    const std::size_t count = std::min(kFeedForwardRows, n - at);
    multiply(normed + at * c, count, packed.up, up + at * f, kernels);
    kernels.gelu(up + at * f, count * f, activated);
    multiply(activated, count, packed.down, y, kernels, Epilogue::kAdd, rows + at);
  }
}

/// The rows of a chunk whose products become the gradients of the four weights.
struct ChunkGradients {
  ChunkGradients(const BlockShape& shape, const BlockGradients& gradients, std::size_t first_row, std::size_t num_rows,
                 Arena& arena)
      : first(first_row),
        down{num_rows, shape.hidden_size, shape.intermediate_size, {}, {}, gradients.down_weight},
        up{num_rows, shape.intermediate_size, shape.hidden_size, {}, {}, gradients.up_weight},
        qkv{num_rows, 3 * shape.hidden_size, shape.hidden_size, {}, {}, gradients.qkv_weight},
        out{num_rows, shape.hidden_size, shape.hidden_size, {}, {}, gradients.out_weight} {
    arena.reserve(num_rows * (8 * shape.hidden_size + 2 * shape.intermediate_size));
    for (WeightGradient* gradient : {&down, &up, &qkv, &out}) {
      gradient->d_y = arena.take(num_rows * gradient->out_features);
      gradient->x = arena.take(num_rows * gradient->in_features);
    }
  }
  void add(TrainingWorkers& workers) const {
    const WeightGradient products[] = {down, up, qkv, out};
    add_later(products, workers);
  }

  std::size_t first;  // place of the chunk's first row in the window order
  WeightGradient down, up, qkv, out;
};

/// Sums over one group's rows; groups are added up in their order, so that threads change nothing.
struct GroupSums {
  explicit GroupSums(const BlockShape& shape, std::size_t num_groups)
      : hidden(shape.hidden_size), size(12 * shape.hidden_size + shape.intermediate_size), all(num_groups * size) {}

  BlockGradients of(std::size_t group) {
    float* at = all.data() + group * size;
    BlockGradients sums{};
    sums.attention_norm_weight = at;
    sums.attention_norm_bias = at + hidden;
    sums.feed_forward_norm_weight = at + 2 * hidden;
    sums.feed_forward_norm_bias = at + 3 * hidden;
    sums.out_bias = at + 4 * hidden;
    sums.down_bias = at + 5 * hidden;
    sums.qkv_bias = at + 6 * hidden;
    sums.up_bias = at + 12 * hidden;
    return sums;
  }
  float* filler(std::size_t group) { return all.data() + group * size + 9 * hidden; }  // [3 hidden]

  std::size_t hidden;
  std::size_t size;
  std::vector<float> all;
};

struct BackwardPass {
  const BlockShape& shape;
  const BlockWeights& weights;
  const PackedWeights& packed;
  const WindowPlan& plan;
  const float* x;
  const BlockMemory& memory;
  const float* d_y;
  float* d_x;
  GroupSums& sums;
  TrainingWorkers& workers;

  /// Rows of one group: everything but the gradients of the four weights.
  void run_group(std::size_t index, const ChunkGradients& chunk, Arena& arena) const noexcept;
  /// Rows [first, first + n): from what reaches the block's end to what reaches its middle.
  void feed_forward(std::size_t first, std::size_t n, const BlockGradients& sum, const ChunkGradients& chunk,
                    Arena& arena) const noexcept;
  /// From the middle to the block's start.
  void attention(const WindowGroup& group, const BlockGradients& sum, float* filler_sum, const ChunkGradients& chunk,
                 Arena& arena) const noexcept;
  std::size_t scratch_size() const;
};

std::size_t BackwardPass::scratch_size() const {
  const std::size_t c = shape.hidden_size;
  const std::size_t attention =
      plan.largest_group * 2 * c + kernels::attention_backward_scratch_size(plan.largest_window, shape.head_dim());
  return std::max(kFeedForwardRows * c, attention) + 4 * kernels::kRowAlignment;
}

void BackwardPass::run_group(std::size_t index, const ChunkGradients& chunk, Arena& arena) const noexcept {
  const WindowGroup& group = plan.groups[index];
  BF_DCHECK_LE(chunk.first, group.begin);
  BF_DCHECK_LE(group.begin + group.num_rows - chunk.first, chunk.down.rows);
  const std::size_t c = shape.hidden_size;
  const BlockGradients sum = sums.of(index);
  copy_rows(d_y, plan.rows.data() + group.begin, group.num_rows, c, chunk.down.d_y_from(group.begin - chunk.first));
  for (std::size_t at = 0; at < group.num_rows; at += kFeedForwardRows)
    feed_forward(group.begin + at, std::min(kFeedForwardRows, group.num_rows - at), sum, chunk, arena);
  attention(group, sum, sums.filler(index), chunk, arena);
}

void BackwardPass::feed_forward(std::size_t first, std::size_t n, const BlockGradients& sum,
                                const ChunkGradients& chunk, Arena& arena) const noexcept {
  const std::size_t c = shape.hidden_size;
  const std::size_t f = shape.intermediate_size;
  const std::size_t at = first - chunk.first;
  const kernels::Kernels& kernels = workers.kernels;
  const kernels::TrainingKernels& training = workers.training;
  const float* middle = memory.middle.data() + first * c;
  const float* d_out = chunk.down.d_y_from(at);
  float* d_up = chunk.up.d_y_from(at);
  arena.clear();
  float* d_normed = arena.take(n * c);

  multiply(d_out, n, packed.down, d_up, kernels);
  training.gelu_backward(
      {.x = memory.up.data() + first * f, .rows = n, .width = f, .d = d_up, .y = chunk.down.x_from(at)});
  multiply(d_up, n, packed.up, d_normed, kernels);
  training.layer_norm_backward({.x = middle,
                                .d_out = d_normed,
                                .rows = n,
                                .hidden = c,
                                .gamma = weights.feed_forward_norm_weight,
                                .eps = shape.layer_norm_eps,
                                .residual = d_out,
                                .d_x = chunk.out.d_y_from(at),
                                .d_gamma = sum.feed_forward_norm_weight,
                                .d_beta = sum.feed_forward_norm_bias,
                                .beta = weights.feed_forward_norm_bias,
                                .y = chunk.up.x_from(at)});
  training.add_column_sums(d_out, n, c, sum.down_bias);
  training.add_column_sums(d_up, n, f, sum.up_bias);
}

void BackwardPass::attention(const WindowGroup& group, const BlockGradients& sum, float* filler_sum,
                             const ChunkGradients& chunk, Arena& arena) const noexcept {
  const std::size_t c = shape.hidden_size;
  const std::size_t n = group.num_rows;
  const std::size_t at = group.begin - chunk.first;
  const kernels::Kernels& kernels = workers.kernels;
  const kernels::TrainingKernels& training = workers.training;
  const std::int32_t* rows = plan.rows.data() + group.begin;
  const float* d_middle = chunk.out.d_y_from(at);
  float* d_qkv = chunk.qkv.d_y_from(at);
  arena.clear();
  float* d_attended = arena.take(n * c);
  float* d_normed = arena.take(n * c);
  float* scratch = arena.take(kernels::attention_backward_scratch_size(plan.largest_window, shape.head_dim()));

  chunk.out.pack_x(memory.attended.data() + group.begin * c, at, n, workers);
  multiply(d_middle, n, packed.out, d_attended, kernels);
  for (std::size_t w = group.first_window; w < group.last_window; ++w) {
    const nn::Window& window = plan.windows[w];
    const std::size_t offset = window.begin - group.begin;
    training.attend_backward({.qkv = memory.qkv.data() + window.begin * 3 * c,
                              .qkv_stride = 3 * c,
                              .rows = window.num_rows,
                              .hidden = c,
                              .num_heads = shape.num_heads,
                              .num_filler = window.num_filler,
                              .filler_qkv = memory.filler_qkv.data(),
                              .out = memory.attended.data() + window.begin * c,
                              .d_out = d_attended + offset * c,
                              .out_stride = c,
                              .d_qkv = d_qkv + offset * 3 * c,
                              .d_filler_qkv = filler_sum,
                              .scratch = scratch});
  }
  multiply(d_qkv, n, packed.qkv, d_normed, kernels);
  training.layer_norm_backward({.x = x,
                                .x_rows = rows,
                                .d_out = d_normed,
                                .rows = n,
                                .hidden = c,
                                .gamma = weights.attention_norm_weight,
                                .eps = shape.layer_norm_eps,
                                .residual = d_middle,
                                .d_x = d_x,
                                .d_x_rows = rows,
                                .d_gamma = sum.attention_norm_weight,
                                .d_beta = sum.attention_norm_bias,
                                .beta = weights.attention_norm_bias,
                                .y = chunk.qkv.x_from(at)});
  training.add_column_sums(d_middle, n, c, sum.out_bias);
  training.add_column_sums(d_qkv, n, 3 * c, sum.qkv_bias);
}

/// Adds the groups' sums in their order.
void add_sums(const BlockShape& shape, GroupSums& sums, std::size_t num_groups, const BlockGradients& gradients) {
  const std::size_t c = shape.hidden_size;
  const auto add = [](float* to, const float* from, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) to[i] += from[i];
  };
  for (std::size_t g = 0; g < num_groups; ++g) {
    const BlockGradients sum = sums.of(g);
    add(gradients.attention_norm_weight, sum.attention_norm_weight, c);
    add(gradients.attention_norm_bias, sum.attention_norm_bias, c);
    add(gradients.feed_forward_norm_weight, sum.feed_forward_norm_weight, c);
    add(gradients.feed_forward_norm_bias, sum.feed_forward_norm_bias, c);
    add(gradients.out_bias, sum.out_bias, c);
    add(gradients.down_bias, sum.down_bias, c);
    add(gradients.qkv_bias, sum.qkv_bias, 3 * c);
    add(gradients.up_bias, sum.up_bias, shape.intermediate_size);
  }
}

/// A filler row enters the norm as zero and leaves it as the norm's bias; its key and value are linear in that.
void add_filler_gradients(const BlockShape& shape, const BlockWeights& weights, GroupSums& sums, std::size_t num_groups,
                          const BlockGradients& gradients) {
  const std::size_t c = shape.hidden_size;
  std::vector<float> d_filler(3 * c);
  for (std::size_t g = 0; g < num_groups; ++g)
    for (std::size_t i = 0; i < 3 * c; ++i) d_filler[i] += sums.filler(g)[i];
  for (std::size_t i = c; i < 3 * c; ++i) {  // nothing asks for the filler's query
    gradients.qkv_bias[i] += d_filler[i];
    for (std::size_t j = 0; j < c; ++j) {
      gradients.qkv_weight[i * c + j] += d_filler[i] * weights.attention_norm_bias[j];
      gradients.attention_norm_bias[j] += d_filler[i] * weights.qkv_weight[i * c + j];
    }
  }
}

}  // namespace

BlockMemory::BlockMemory(const BlockShape& shape, std::size_t num_rows, BufferPool& pool)
    : qkv(pool.take(num_rows * 3 * shape.hidden_size)),
      attended(pool.take(num_rows * shape.hidden_size)),
      middle(pool.take(num_rows * shape.hidden_size)),
      up(pool.take(num_rows * shape.intermediate_size)),
      filler_qkv(pool.take(3 * shape.hidden_size)) {}

void block_forward(const BlockShape& shape, const BlockWeights& weights, const WindowPlan& plan, const float* x,
                   BlockMemory& memory, float* y, TrainingWorkers& workers) {
  check(shape, plan, memory);
  const PackedWeights packed(shape, weights, /*is_backward=*/false, workers);
  multiply(weights.attention_norm_bias, 1, packed.qkv, memory.filler_qkv.data(), workers.kernels);
  workers.reserve_each(plan.largest_group * shape.hidden_size + kFeedForwardRows * shape.intermediate_size +
                       3 * kernels::kRowAlignment +
                       kernels::attention_scratch_size(plan.largest_window, shape.head_dim()));
  workers.pool.parallel_for(plan.groups.size(), [&](std::size_t i, int worker) noexcept {
    forward_group(shape, weights, packed, plan, plan.groups[i], x, memory, y, workers.kernels, workers.arena(worker));
  });
}

void block_backward(const BlockShape& shape, const BlockWeights& weights, const WindowPlan& plan, const float* x,
                    const BlockMemory& memory, const float* d_y, float* d_x, const BlockGradients& gradients,
                    TrainingWorkers& workers) {
  check(shape, plan, memory);
  const PackedWeights packed(shape, weights, /*is_backward=*/true, workers);
  GroupSums sums(shape, plan.groups.size());
  const BackwardPass pass{shape, weights, packed, plan, x, memory, d_y, d_x, sums, workers};
  workers.reserve_each(pass.scratch_size());
  for (std::size_t first = 0; first < plan.groups.size();) {
    std::size_t last = first;
    std::size_t num_rows = 0;
    for (; last < plan.groups.size() && num_rows < kChunkRows; ++last) num_rows += plan.groups[last].num_rows;
    const ChunkGradients chunk(shape, gradients, plan.groups[first].begin, num_rows, workers.next_operands());
    workers.parallel_for(last - first, [&](std::size_t i, int worker) noexcept {
      pass.run_group(first + i, chunk, workers.arena(worker));
    });
    chunk.add(workers);
    first = last;
  }
  add_sums(shape, sums, plan.groups.size(), gradients);
  if (plan.has_filler) add_filler_gradients(shape, weights, sums, plan.groups.size(), gradients);
}

}  // namespace byteformer::backprop
