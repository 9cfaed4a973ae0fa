// Multiply-adds of a file by the formulas of docs/architecture.md, "Counting multiply-adds", checked against overflow.
#include "model/cost.hpp"

#include <string>

#include "byteformer/error.hpp"
#include "nn/geometry.hpp"

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

std::int64_t to_signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }

/// (query, key) pairs that are computed: filler rows answer no query, but in `released` each is a key.
Count pairs_as_run(const nn::WindowGeometry& windows, std::uint64_t num_rows) {
  const std::int64_t size = to_signed(windows.size());
  if (windows.masking() == Masking::kReleased) return Count(to_signed(num_rows)) * size;
  const auto pairs_of = [&](std::uint64_t window) {
    const Count rows = to_signed(windows.window(window, num_rows).num_rows());
    return rows * rows;
  };
  const std::uint64_t num_windows = windows.num_windows(num_rows);
  if (num_windows == 1) return pairs_of(0);
  return pairs_of(0) + Count(to_signed(num_windows - 2)) * size * size + pairs_of(num_windows - 1);
}

LayerCost layer_cost(const format::ModelConfig& config, std::size_t layer, std::uint64_t num_rows) {
  const std::int64_t rows = to_signed(num_rows);
  const Count hidden = config.hidden_size;
  const Count feed_forward = Count(2) * hidden * config.intermediate_size;  // of a row
  const nn::WindowGeometry windows(config.window_sizes[layer], config.window_shifts[layer], config.masking);
  // Published, windows are whole whatever the masking.
  const nn::WindowGeometry published(config.window_sizes[layer], 0, Masking::kReleased);
  const Count padded = to_signed(published.num_padded(num_rows));
  const std::int64_t merged = to_signed(nn::WindowGeometry::pairs().num_windows(num_rows));
  const Count merge = config.downsample[layer] ? Count(merged) * 2 * hidden * hidden : Count(0);
  LayerCost cost;
  cost.num_rows = rows;
  cost.num_filler_rows = padded.value() - rows;
  cost.num_windows = to_signed(windows.num_windows(num_rows));
  cost.qkv = (padded * 3 * hidden * hidden).value();
  cost.scores = (padded * config.window_sizes[layer] * hidden).value();
  cost.values = cost.scores;
  cost.out = (padded * hidden * hidden).value();
  cost.feed_forward = (padded * feed_forward).value();
  cost.merge = merge.value();
  const Count row = Count(4) * hidden * hidden + feed_forward;  // qkv, out, feed-forward
  cost.total_as_run = (Count(rows) * row + pairs_as_run(windows, num_rows) * 2 * hidden + merge).value();
  return cost;
}

Count published_total(const LayerCost& layer) {
  return Count(layer.qkv) + layer.scores + layer.values + layer.out + layer.feed_forward + layer.merge;
}

}  // namespace

FileCost file_cost(const format::ModelConfig& config, std::int64_t num_bytes) {
  if (num_bytes < 0)
    throw Error(ErrorCode::kInvalidArgument, "a file cannot have " + std::to_string(num_bytes) + " bytes");
  if (num_bytes == 0) throw Error(ErrorCode::kEmptyFile, "an empty file has no tokens");
  const Count hidden = config.hidden_size;
  const Count kernel = config.conv_kernel_size;
  const Count head = hidden * config.num_labels;
  FileCost cost;
  cost.num_bytes = num_bytes;
  const nn::TokenGeometry tokens(config.conv_kernel_size, config.masking);
  std::uint64_t rows = tokens.num_tokens(static_cast<std::uint64_t>(num_bytes));
  cost.num_tokens = to_signed(rows);
  cost.stem_dense = (Count(cost.num_tokens) * kernel * hidden * hidden).value();
  cost.stem_table_adds = (Count(cost.num_tokens) * kernel * hidden).value();
  cost.table_build = (Count(config.vocab_size) * kernel * hidden * hidden).value();
  cost.head = head.value();

  Count with_filler = head;
  Count as_run = head;
  for (std::size_t i = 0; i < config.window_sizes.size(); ++i) {
    const LayerCost layer = layer_cost(config, i, rows);
    with_filler += published_total(layer);
    as_run += layer.total_as_run;
    if (config.downsample[i]) rows = nn::WindowGeometry::pairs().num_windows(rows);
    cost.layers.push_back(layer);
  }
  cost.total_published = (with_filler + cost.stem_dense).value();
  cost.total_byte_table = with_filler.value();
  cost.total_as_run = as_run.value();
  return cost;
}

}  // namespace byteformer::model
