// Rows of activations of many files, one after another, as they flow from layer to layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/check.hpp"
#include "base/thread_pool.hpp"
#include "kernels/kernels.hpp"

namespace byteformer::nn {

/// Copies `num_floats` floats that do not overlap, on all threads where there are many.
inline void copy_floats(const float* from, std::size_t num_floats, float* to, base::ThreadPool& pool) {
  constexpr std::size_t kTaskFloats = std::size_t{1} << 14;
  if (num_floats < 2 * kTaskFloats) {
    std::copy_n(from, num_floats, to);
    return;
  }
  pool.parallel_for((num_floats + kTaskFloats - 1) / kTaskFloats, [&](std::size_t task, int) noexcept {
    const std::size_t first = task * kTaskFloats;
    std::copy_n(from + first, std::min(kTaskFloats, num_floats - first), to + first);
  });
}

/// A growing array of rows, each padded to kernels::kRowAlignment floats with zeros.
class RowBuffer {
 public:
  RowBuffer() = default;
  explicit RowBuffer(std::size_t columns) : row_size_(kernels::padded(columns)) {}

  // `index` may be capacity(): the end of the rows.
  float* row(std::size_t index) noexcept {
    BF_DCHECK_LE(index, capacity_);
    return data_.data() + index * row_size_;
  }
  const float* row(std::size_t index) const noexcept {
    BF_DCHECK_LE(index, capacity_);
    return data_.data() + index * row_size_;
  }
  std::size_t row_size() const noexcept { return row_size_; }
  std::size_t capacity() const noexcept { return capacity_; }

  /// The capacity that follows `capacity` where it does not suffice; also the most that `capacity` rows ever take.
  static constexpr std::size_t grown(std::size_t capacity) noexcept { return capacity + capacity / 8; }

  /// Copies `count` rows from `from`, which does not overlap, to row `first`.
  void copy_in(std::size_t first, const float* from, std::size_t count) noexcept {
    if (count == 0) return;  // `first` may be beyond the end then: of a short file all rows are late
    BF_DCHECK_LE(first + count, capacity_);
    std::copy_n(from, count * row_size_, row(first));
  }

  /// Makes room for `rows` rows; the first `kept` keep their content. Allocates only beyond the largest size so far.
  void reserve(std::size_t rows, std::size_t kept = 0) {
    BF_DCHECK_LE(kept, capacity_);
    if (rows <= capacity_) return;
    const std::size_t capacity = std::max(rows, grown(capacity_));
    base::AlignedBuffer<float> larger(capacity * row_size_);
    std::copy_n(data_.data(), kept * row_size_, larger.data());
    data_ = std::move(larger);
    capacity_ = capacity;
  }

 private:
  base::AlignedBuffer<float> data_;
  std::size_t row_size_ = 0;
  std::size_t capacity_ = 0;
};

/// A run of rows of one file.
///
/// The first rows of a file may be late: where windows wrap around its end they are only finished there, and follow its
/// other rows. `num_late` counts them; they are the file's rows 0 ... num_late - 1.
struct Segment {
  std::size_t num_rows = 0;  ///< rows in the order of the file
  std::size_t num_late = 0;  ///< late rows after them; 0 unless the file ends here
  bool ends = false;         ///< whether the file ends here; the next segment then begins another one
};

/// [num_rows, columns] with the segments they belong to.
struct PackedRows {
  PackedRows() = default;
  explicit PackedRows(std::size_t columns) : buffer(columns) {}

  RowBuffer buffer;
  std::size_t num_rows = 0;
  std::vector<Segment> segments;

  void clear() {
    num_rows = 0;
    segments.clear();
  }

  /// Whether each row is in one segment.
  bool is_whole() const noexcept {
    std::size_t total = 0;
    for (const Segment& segment : segments) total += segment.num_rows + segment.num_late;
    return total == num_rows;
  }

  /// Appends a copy of `count` rows.
  void append_copy(const float* rows, std::size_t count, base::ThreadPool& pool) {
    BF_DCHECK(count == 0 || rows < buffer.row(0) || rows >= buffer.row(buffer.capacity()));  // which append() may move
    copy_floats(rows, count * buffer.row_size(), append(count), pool);
  }

  /// Room for `count` more rows at the end; returns the first.
  float* append(std::size_t count) {
    buffer.reserve(num_rows + count, num_rows);
    num_rows += count;
    return buffer.row(num_rows - count);
  }
};

}  // namespace byteformer::nn
