// Implementation of encoder_block.hpp.
#include "nn/encoder_block.hpp"

#include <algorithm>
#include <utility>

namespace byteformer::nn {
namespace {

// Enough rows to pay for reading the weights, few enough for the cache.
constexpr std::size_t kAttentionTaskRows = EncoderBlock::kMostTaskRows;
constexpr std::size_t kFeedForwardTaskRows = 64;  // 64 x intermediate floats stay in the level-2 cache

/// The windows of one task: windows[begin, end).
struct WindowRange {
  std::size_t begin;
  std::size_t end;
};

/// The `index`-th of `tasks` ranges that share `count` things as evenly as they can.
WindowRange share(std::size_t count, std::size_t tasks, std::size_t index) {
  return {count * index / tasks, count * (index + 1) / tasks};
}

}  // namespace

WindowAttention::WindowAttention(const kernels::Kernels& kernels, const AttentionView& view, std::size_t hidden_size,
                                 std::size_t num_heads, float eps)
    : kernels_(&kernels),
      hidden_size_(hidden_size),
      num_heads_(num_heads),
      norm_(kernels, view.norm, eps),
      qkv_(kernels, view.qkv, hidden_size, 3 * hidden_size),
      out_(kernels, view.out, hidden_size, hidden_size),
      filler_qkv_(kernels::padded(3 * hidden_size)) {
  kernels::MatmulArgs args;
  args.a = norm_.bias().data();
  args.rows = 1;
  args.c = filler_qkv_.data();
  qkv_.run(args);
}

void WindowAttention::run(float* rows, std::span<const std::int32_t> order, std::span<const Window> windows,
                          WorkerScratch& scratch) const {
  const std::size_t row_size = kernels::padded(hidden_size_);
  const std::size_t qkv_size = kernels::padded(3 * hidden_size_);
  const std::size_t first = windows.front().begin;
  const std::size_t num_rows = windows.back().begin + windows.back().num_rows - first;
  const std::int32_t* indices = order.data() + first;
  float* normed = scratch.normed.get(num_rows * row_size);
  float* qkv = scratch.wide.get(num_rows * qkv_size);

  norm_.run(rows, indices, num_rows, normed);
  qkv_.run({.a = normed, .a_stride = row_size, .rows = num_rows, .c = qkv, .c_stride = qkv_size});
  for (const Window& window : windows) {
    const std::size_t offset = window.begin - first;
    const std::size_t scratch_size = kernels::attention_scratch_size(window.num_rows, hidden_size_ / num_heads_);
    kernels_->attend({.qkv = qkv + offset * qkv_size,
                      .qkv_stride = qkv_size,
                      .rows = window.num_rows,
                      .hidden = hidden_size_,
                      .num_heads = num_heads_,
                      .num_filler = window.num_filler,
                      .filler_qkv = filler_qkv_.data(),
                      .out = normed + offset * row_size,
                      .out_stride = row_size,
                      .scratch = scratch.attention.get(scratch_size)});
  }
  out_.run({.a = normed, .a_stride = row_size, .rows = num_rows, .c = rows, .c_stride = row_size, .c_rows = indices,
            .epilogue = kernels::Epilogue::kAdd});
}

FeedForward::FeedForward(const kernels::Kernels& kernels, const FeedForwardView& view, std::size_t hidden_size,
                         std::size_t intermediate_size, float eps)
    : norm_(kernels, view.norm, eps),
      up_(kernels, view.up, hidden_size, intermediate_size),
      down_(kernels, view.down, intermediate_size, hidden_size) {}

void FeedForward::run(float* rows, std::span<const std::int32_t> order, WorkerScratch& scratch) const {
  const std::size_t row_size = kernels::padded(up_.in_features());
  const std::size_t wide_size = kernels::padded(up_.out_features());
  float* normed = scratch.normed.get(order.size() * row_size);
  float* wide = scratch.wide.get(order.size() * wide_size);
  norm_.run(rows, order.data(), order.size(), normed);
  up_.run({.a = normed, .a_stride = row_size, .rows = order.size(), .c = wide, .c_stride = wide_size,
           .epilogue = kernels::Epilogue::kGelu});
  down_.run({.a = wide, .a_stride = wide_size, .rows = order.size(), .c = rows, .c_stride = row_size,
             .c_rows = order.data(), .epilogue = kernels::Epilogue::kAdd});
}

EncoderBlock::EncoderBlock(WindowAttention attention, FeedForward feed_forward)
    : attention_(std::move(attention)), feed_forward_(std::move(feed_forward)) {}

void EncoderBlock::operator()(WindowCutter& cutter, Workers& workers) const {
  const auto windows = cutter.windows();
  const auto order = cutter.order();
  if (windows.empty()) return;
  const auto num_threads = static_cast<std::size_t>(workers.pool.num_threads());
  const auto num_tasks = [&](std::size_t rows_per_task) {
    const std::size_t tasks = (order.size() + rows_per_task - 1) / rows_per_task;
    return (tasks + num_threads - 1) / num_threads * num_threads;  // no thread waits for a last odd task
  };

  const std::size_t attention_tasks = std::min(windows.size(), num_tasks(kAttentionTaskRows));
  workers.pool.parallel_for(attention_tasks, [&](std::size_t task, int worker) noexcept {
    const WindowRange range = share(windows.size(), attention_tasks, task);
    attention_.run(cutter.rows(), order, windows.subspan(range.begin, range.end - range.begin),
                   workers.scratch[static_cast<std::size_t>(worker)]);
  });
  const std::size_t feed_forward_tasks = std::min(order.size(), num_tasks(kFeedForwardTaskRows));
  workers.pool.parallel_for(feed_forward_tasks, [&](std::size_t task, int worker) noexcept {
    const WindowRange range = share(order.size(), feed_forward_tasks, task);
    feed_forward_.run(cutter.rows(), order.subspan(range.begin, range.end - range.begin),
                      workers.scratch[static_cast<std::size_t>(worker)]);
  });
}

}  // namespace byteformer::nn
