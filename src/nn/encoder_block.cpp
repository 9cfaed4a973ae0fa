// Shares the windows and rows of a layer out to the threads, and computes them.
#include "nn/encoder_block.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/check.hpp"

namespace byteformer::nn {
namespace {

// Enough rows to pay for reading the weights, few enough for the cache.
constexpr std::size_t kAttentionTaskRows = EncoderBlock::kMostTaskRows;
constexpr std::size_t kFeedForwardTaskRows = 64;  // 64 x intermediate floats stay in the level-2 cache
constexpr std::size_t kLastTaskRows = 16;         // of the last tasks of a layer, so that threads end together

/// The `index`-th of `num_shares` parts of `all`, as even as they can be.
template <typename T>
std::span<const T> share(std::span<const T> all, std::size_t num_shares, std::size_t index) {
  const std::size_t begin = all.size() * index / num_shares;
  const std::size_t end = all.size() * (index + 1) / num_shares;
  return all.subspan(begin, end - begin);
}

/// Whether `windows` hold each place of an order of `num_rows` rows once.
bool covers(std::span<const Window> windows, std::size_t num_rows) {
  std::size_t end = 0;
  for (const Window& window : windows) {
    if (window.begin != end || window.num_rows == 0) return false;
    end += window.num_rows;
  }
  return end == num_rows;
}

std::size_t rows_of(std::span<const Window> windows) {
  return windows.back().begin + windows.back().num_rows - windows.front().begin;
}

/// A layer's windows in tasks of about kAttentionTaskRows rows, as many as the threads or a multiple.
class AttentionTasks {
 public:
  AttentionTasks(std::span<const Window> windows, std::size_t num_rows, std::size_t num_threads) : windows_(windows) {
    const std::size_t tasks = (num_rows + kAttentionTaskRows - 1) / kAttentionTaskRows;
    size_ = std::min(windows.size(), (tasks + num_threads - 1) / num_threads * num_threads);
  }

  std::size_t size() const noexcept { return size_; }
  std::span<const Window> operator[](std::size_t task) const noexcept { return share(windows_, size_, task); }

  /// The task that computes row order[position].
  std::size_t of(std::size_t position) const noexcept {
    const auto next = std::upper_bound(windows_.begin(), windows_.end(), position,
                                       [](std::size_t p, const Window& window) { return p < window.begin; });
    return (static_cast<std::size_t>(next - windows_.begin()) * size_ - 1) / windows_.size();  // inverts share()
  }

 private:
  std::span<const Window> windows_;
  std::size_t size_ = 0;
};

/// A layer's rows in tasks of the feed-forward network: for several threads the last ones are small.
class FeedForwardTasks {
 public:
  FeedForwardTasks(std::span<const std::int32_t> order, std::size_t num_threads)
      : order_(order), last_rows_(num_threads > 1 ? kLastTaskRows : kFeedForwardTaskRows) {
    const std::size_t in_small = num_threads > 1 ? std::min(order.size(), num_threads * kFeedForwardTaskRows) : 0;
    num_large_ = (order.size() - in_small) / kFeedForwardTaskRows;
    size_ = num_large_ + (order.size() - num_large_ * kFeedForwardTaskRows + last_rows_ - 1) / last_rows_;
  }

  std::size_t size() const noexcept { return size_; }

  /// Position in `order` of a task's first row.
  std::size_t begin(std::size_t task) const noexcept {
    const std::size_t large = std::min(task, num_large_);
    return std::min(order_.size(), large * kFeedForwardTaskRows + (task - large) * last_rows_);
  }
  std::span<const std::int32_t> operator[](std::size_t task) const noexcept {
    return order_.subspan(begin(task), begin(task + 1) - begin(task));
  }

 private:
  std::span<const std::int32_t> order_;
  std::size_t last_rows_;
  std::size_t num_large_;
  std::size_t size_;
};

}  // namespace

WindowAttention::WindowAttention(LinearKernels kernels, const AttentionView& view, std::size_t hidden_size,
                                 std::size_t num_heads, float eps)
    : kernels_(kernels.full),
      hidden_size_(hidden_size),
      num_heads_(num_heads),
      norm_(*kernels.full, view.norm, eps),
      qkv_(kernels, view.qkv, hidden_size, 3 * hidden_size),
      out_(kernels, view.out, hidden_size, hidden_size),
      filler_qkv_(kernels::padded(3 * hidden_size)) {
  BF_DCHECK_EQ(hidden_size % num_heads, 0);
  kernels::MatmulArgs args;
  args.a = norm_.bias().data();
  args.rows = 1;
  args.c = filler_qkv_.data();
  WorkerScratch scratch;
  qkv_.run(args, scratch);
}

void WindowAttention::reserve(std::size_t num_rows, std::size_t largest_window, Workers& workers) const {
  workers.reserve(num_rows * kernels::padded(hidden_size_), num_rows * kernels::padded(3 * hidden_size_),
                  kernels::attention_scratch_size(largest_window, hidden_size_ / num_heads_));
  qkv_.reserve(num_rows, workers);
  out_.reserve(num_rows, workers);
}

void WindowAttention::run(float* rows, std::span<const std::int32_t> order, std::span<const Window> windows,
                          WorkerScratch& scratch) const {
  const std::size_t row_size = kernels::padded(hidden_size_);
  const std::size_t qkv_size = kernels::padded(3 * hidden_size_);
  const std::size_t first = windows.front().begin;
  const std::size_t num_rows = rows_of(windows);
  BF_DCHECK_LE(first + num_rows, order.size());
  const std::int32_t* indices = order.data() + first;
  float* normed = scratch.normed.get(num_rows * row_size);
  float* qkv = scratch.wide.get(num_rows * qkv_size);

  norm_.run(rows, indices, num_rows, normed);
  qkv_.run({.a = normed, .a_stride = row_size, .rows = num_rows, .c = qkv, .c_stride = qkv_size}, scratch);
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
  out_.run({.a = normed,
            .a_stride = row_size,
            .rows = num_rows,
            .c = rows,
            .c_stride = row_size,
            .c_rows = indices,
            .epilogue = kernels::Epilogue::kAdd},
           scratch);
}

FeedForward::FeedForward(LinearKernels kernels, const FeedForwardView& view, std::size_t hidden_size,
                         std::size_t intermediate_size, float eps)
    : norm_(*kernels.full, view.norm, eps),
      up_(kernels, view.up, hidden_size, intermediate_size),
      down_(kernels, view.down, intermediate_size, hidden_size) {}

void FeedForward::reserve(std::size_t num_rows, Workers& workers) const {
  workers.reserve(num_rows * kernels::padded(up_.in_features()), num_rows * kernels::padded(up_.out_features()), 0);
  up_.reserve(num_rows, workers);
  down_.reserve(num_rows, workers);
}

void FeedForward::run(float* rows, std::span<const std::int32_t> order, WorkerScratch& scratch) const {
  const std::size_t row_size = kernels::padded(up_.in_features());
  const std::size_t wide_size = kernels::padded(up_.out_features());
  float* normed = scratch.normed.get(order.size() * row_size);
  float* wide = scratch.wide.get(order.size() * wide_size);
  norm_.run(rows, order.data(), order.size(), normed);
  up_.run({.a = normed,
           .a_stride = row_size,
           .rows = order.size(),
           .c = wide,
           .c_stride = wide_size,
           .epilogue = kernels::Epilogue::kGelu},
          scratch);
  down_.run({.a = wide,
             .a_stride = wide_size,
             .rows = order.size(),
             .c = rows,
             .c_stride = row_size,
             .c_rows = order.data(),
             .epilogue = kernels::Epilogue::kAdd},
            scratch);
}

EncoderBlock::EncoderBlock(WindowAttention attention, FeedForward feed_forward)
    : attention_(std::move(attention)), feed_forward_(std::move(feed_forward)) {}

void EncoderBlock::operator()(WindowCutter& cutter, Workers& workers) const {
  run(cutter.rows(), cutter.order(), cutter.windows(), workers);
}

void EncoderBlock::run(float* rows, std::span<const std::int32_t> order, std::span<const Window> windows,
                       Workers& workers) const {
  BF_DCHECK(covers(windows, order.size()));
  if (windows.empty()) return;
  const auto num_threads = static_cast<std::size_t>(workers.pool.num_threads());
  const AttentionTasks attention(windows, order.size(), num_threads);
  const FeedForwardTasks feed_forward(order, num_threads);
  std::size_t most_rows = 0;
  std::size_t largest_window = 0;
  for (std::size_t task = 0; task < attention.size(); ++task) most_rows = std::max(most_rows, rows_of(attention[task]));
  for (const Window& window : windows) largest_window = std::max(largest_window, window.num_rows);
  attention_.reserve(most_rows, largest_window, workers);
  feed_forward_.reserve(std::min(order.size(), kFeedForwardTaskRows), workers);
  std::uint32_t* attended = workers.finished.get(attention.size());
  std::fill_n(attended, attention.size(), 0u);

  // One loop for both: a thread that finds no more windows goes on with rows whose windows are done. Tasks start in
  // order, so whatever a task waits for has been started by a thread that waits for nothing.
  workers.pool.parallel_for(attention.size() + feed_forward.size(), [&](std::size_t task, int worker) noexcept {
    WorkerScratch& scratch = workers.of(worker);
    if (task < attention.size()) {
      attention_.run(rows, order, attention[task], scratch);
      const std::atomic_ref finished(attended[task]);
      finished.store(1, std::memory_order_release);
      finished.notify_all();
      return;
    }
    const std::size_t index = task - attention.size();
    const std::size_t last = attention.of(feed_forward.begin(index + 1) - 1);
    BF_DCHECK_LT(last, attention.size());  // each task waits for tasks that have started
    for (std::size_t needed = attention.of(feed_forward.begin(index)); needed <= last; ++needed)
      std::atomic_ref(attended[needed]).wait(0, std::memory_order_acquire);
    feed_forward_.run(rows, feed_forward[index], scratch);
  });
}

}  // namespace byteformer::nn
