// Multiply-adds of a file by the formulas of docs/architecture.md, "Counting multiply-adds", checked against overflow.
#include "model/cost.hpp"

#include <algorithm>
#include <string>

#include "byteformer/error.hpp"

namespace byteformer::model {
namespace {

/// A count that throws where 64 bits do not hold it.
class Count {
 public:
  Count(std::int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor): it stands for the number
  std::int64_t value() const { return value_; }

  friend Count operator*(Count a, Count b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a.value_, b.value_, &product)) throw_too_large();
    return product;
  }
  friend Count operator+(Count a, Count b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.value_, b.value_, &sum)) throw_too_large();
    return sum;
  }
  Count& operator+=(Count other) { return *this = *this + other; }

 private:
  [[noreturn]] static void throw_too_large() {
    throw Error(ErrorCode::kInvalidArgument, "the cost of so large a file does not fit in 64 bits");
  }
  std::int64_t value_;
};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

/// The windows of one layer over one file. \see docs/architecture.md, "Windows without rolling"
struct Windows {
  std::int64_t num_windows = 0;
  std::int64_t num_filler_rows = 0;
  Count num_pairs_published = 0;  ///< (query, key) pairs, filler included
  Count num_pairs_as_run = 0;     ///< pairs whose query is a real row
};

Windows released_windows(std::int64_t rows, std::int64_t window) {
  const std::int64_t num_windows = ceil_div(rows, window);
  const Count padded = Count(window) * num_windows;
  // Filler rows answer no query, but each of them is a key that the real rows attend to.
  return {num_windows, padded.value() - rows, padded * window, Count(rows) * window};
}

Windows masked_windows(std::int64_t rows, std::int64_t window, std::int64_t shift) {
  Windows windows = released_windows(rows, window);
  const std::int64_t first = std::min(rows, shift % window);  // 0 where the first cut is at the start
  const std::int64_t num_whole = (rows - first) / window;
  const std::int64_t last = (rows - first) % window;
  windows.num_windows = (first > 0 ? 1 : 0) + num_whole + (last > 0 ? 1 : 0);
  windows.num_pairs_as_run = Count(first) * first + Count(num_whole) * window * window + Count(last) * last;
  return windows;
}

LayerCost layer_cost(const format::ModelConfig& config, std::size_t layer, std::int64_t rows) {
  const Count hidden = config.hidden_size;
  const Count feed_forward = Count(2) * hidden * config.intermediate_size;  // of a row
  const Windows windows = config.masking == Masking::kReleased
                              ? released_windows(rows, config.window_sizes[layer])
                              : masked_windows(rows, config.window_sizes[layer], config.window_shifts[layer]);
  const Count padded = Count(rows) + windows.num_filler_rows;
  const Count merge = config.downsample[layer] ? Count(ceil_div(rows, 2)) * 2 * hidden * hidden : Count(0);
  LayerCost cost;
  cost.num_rows = rows;
  cost.num_filler_rows = windows.num_filler_rows;
  cost.num_windows = windows.num_windows;
  cost.qkv = (padded * 3 * hidden * hidden).value();
  cost.scores = (windows.num_pairs_published * hidden).value();
  cost.values = cost.scores;
  cost.out = (padded * hidden * hidden).value();
  cost.feed_forward = (padded * feed_forward).value();
  cost.merge = merge.value();
  const Count row = Count(4) * hidden * hidden + feed_forward;  // qkv, out, feed-forward
  cost.total_as_run = (Count(rows) * row + windows.num_pairs_as_run * 2 * hidden + merge).value();
  return cost;
}

Count published_total(const LayerCost& layer) {
  return Count(layer.qkv) + layer.scores + layer.values + layer.out + layer.feed_forward + layer.merge;
}

}  // namespace

std::int64_t num_tokens(const format::ModelConfig& config, std::int64_t num_bytes) {
  if (num_bytes == 0) return 0;
  if (config.conv_kernel_size == 0) return num_bytes;
  if (config.masking == Masking::kMasked) return ceil_div(num_bytes, config.stride());
  if (num_bytes <= config.conv_kernel_size) return 1;
  return (num_bytes - config.conv_kernel_size) / config.stride() + 1;
}

FileCost file_cost(const format::ModelConfig& config, std::int64_t num_bytes) {
  if (num_bytes < 0)
    throw Error(ErrorCode::kInvalidArgument, "a file cannot have " + std::to_string(num_bytes) + " bytes");
  if (num_bytes == 0) throw Error(ErrorCode::kEmptyFile, "an empty file has no tokens");
  const Count hidden = config.hidden_size;
  const Count kernel = config.conv_kernel_size;
  const Count head = hidden * config.num_labels;
  FileCost cost;
  cost.num_bytes = num_bytes;
  cost.num_tokens = num_tokens(config, num_bytes);
  cost.stem_dense = (Count(cost.num_tokens) * kernel * hidden * hidden).value();
  cost.stem_table_adds = (Count(cost.num_tokens) * kernel * hidden).value();
  cost.table_build = (Count(config.vocab_size) * kernel * hidden * hidden).value();
  cost.head = head.value();

  Count with_filler = head;
  Count as_run = head;
  std::int64_t rows = cost.num_tokens;
  for (std::size_t i = 0; i < config.window_sizes.size(); ++i) {
    const LayerCost layer = layer_cost(config, i, rows);
    with_filler += published_total(layer);
    as_run += layer.total_as_run;
    if (config.downsample[i]) rows = ceil_div(rows, 2);
    cost.layers.push_back(layer);
  }
  cost.total_published = (with_filler + cost.stem_dense).value();
  cost.total_byte_table = with_filler.value();
  cost.total_as_run = as_run.value();
  return cost;
}

}  // namespace byteformer::model
