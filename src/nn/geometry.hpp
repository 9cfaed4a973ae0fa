// Which tokens bytes become, which rows attend to one another in a layer, and which rows a merge joins: the one place
// for whoever computes, trains, counts, explains or exports a model.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "byteformer/masking.hpp"

namespace byteformer::nn {

// Counts that a file decides are of a type `Number`: std::uint64_t here, or a node of a graph that computes them later.
// It needs +, - and * with std::uint64_t, / that rounds down, and at_least().

constexpr std::uint64_t at_least(std::uint64_t number, std::uint64_t least) { return std::max(number, least); }

template <typename Number>
constexpr Number rounded_up(const Number& number, std::uint64_t multiple) {
  return (number + (multiple - 1)) / multiple * multiple;
}

/// The tokens of a file. Token t reads taps() ids from id t * stride() on; ids are the file's bytes, then padding.
/// \see docs/architecture.md, "Two meanings of masking"
class TokenGeometry {
 public:
  /// \param kernel_size  even; 0 where the model has no convolution: each byte is a token then
  constexpr TokenGeometry(std::int64_t kernel_size, Masking masking)
      : taps_(kernel_size == 0 ? 1 : static_cast<std::uint64_t>(kernel_size)),
        stride_(kernel_size == 0 ? 1 : static_cast<std::uint64_t>(kernel_size) / 2),
        masking_(masking) {
    BF_DCHECK(kernel_size >= 0 && kernel_size % 2 == 0);
  }

  constexpr std::uint64_t taps() const noexcept { return taps_; }
  constexpr std::uint64_t stride() const noexcept { return stride_; }

  /// Tokens of a file of `num_bytes` >= 1 bytes.
  template <typename Number>
  constexpr Number num_tokens(const Number& num_bytes) const {
    return masking_ == Masking::kMasked ? rounded_up(num_bytes, stride_) / stride_
                                        : at_least(num_complete(num_bytes), 1);
  }

  /// Ids that the first `num_tokens` >= 1 tokens read.
  template <typename Number>
  constexpr Number num_ids(const Number& num_tokens) const {
    return (num_tokens - 1) * stride_ + taps_;
  }

  /// Tokens that need no more than the first `num_ids` ids.
  template <typename Number>
  constexpr Number num_complete(const Number& num_ids) const {
    return (at_least(num_ids + stride_, taps_) - taps_) / stride_;
  }

  /// The first token that reads any of the bytes [begin, end) of a file of `num_bytes` bytes, and the one after the
  /// last. In `released`, tokens may not read the last bytes.
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  constexpr Range reading(std::uint64_t begin, std::uint64_t end, std::uint64_t num_bytes) const {
    if (begin >= end) return {};
    const std::uint64_t last = std::min((end - 1) / stride_ + 1, num_tokens(num_bytes));
    return {std::min(num_complete(begin), last), last};
  }

 private:
  std::uint64_t taps_;
  std::uint64_t stride_;
  Masking masking_;
};

/// Rows of a file that attend to one another: [begin, end), then its first `num_wrapped` rows, and `num_filler` zero
/// rows beside them. The order is that in which they are computed, on which the bits of a result depend.
struct WindowRows {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t num_wrapped = 0;
  std::size_t num_filler = 0;

  constexpr std::size_t num_rows() const noexcept { return end - begin + num_wrapped; }

  /// Appends the rows to `rows`, of a file whose row 0 is row `base` there.
  void append_to(std::vector<std::int32_t>& rows, std::size_t base = 0) const;
};

/// The same as a part of a list of rows: [begin, begin + num_rows) of it, and `num_filler` zero rows beside them.
struct Window {
  std::size_t begin = 0;
  std::size_t num_rows = 0;
  std::size_t num_filler = 0;
};

/// The windows of a layer. Every row of a file is in exactly one; rows are counted in the order of the file, of which
/// there is at least one.
/// \see docs/architecture.md, "Windows without rolling"
class WindowGeometry {
 public:
  /// Only the shift modulo the size matters. \param size  at least 1
  constexpr WindowGeometry(std::int64_t size, std::int64_t shift, Masking masking)
      : size_(static_cast<std::size_t>(size)), shift_(static_cast<std::size_t>(shift % size)), masking_(masking) {
    BF_DCHECK_LT(0, size);
    BF_DCHECK_LE(0, shift);
  }

  /// Token merges are a layer with windows of two rows; each makes one row of the next.
  static constexpr WindowGeometry pairs() { return {2, 0, Masking::kReleased}; }

  constexpr std::size_t size() const noexcept { return size_; }
  constexpr std::size_t shift() const noexcept { return shift_; }  ///< less than size()
  constexpr Masking masking() const noexcept { return masking_; }

  /// Rows that the first window is short of.
  constexpr std::size_t num_before() const noexcept {
    return masking_ == Masking::kMasked ? rounded_up(shift_, size_) - shift_ : 0;
  }

  /// Rows of all windows if those that are short were whole.
  template <typename Number>
  constexpr Number num_padded(const Number& num_rows) const {
    return rounded_up(num_rows + num_before(), size_);
  }

  template <typename Number>
  constexpr Number num_windows(const Number& num_rows) const {
    return num_padded(num_rows) / size_;
  }

  /// The window that `row` is in.
  constexpr std::size_t window_of(std::size_t row, std::size_t num_rows) const noexcept {
    BF_DCHECK_LE(row, num_rows);
    if (masking_ == Masking::kMasked) return (row + num_before()) / size_;
    return row < shift_ ? num_windows(num_rows) - 1 : (row - shift_) / size_;
  }

  WindowRows window(std::size_t index, std::size_t num_rows) const noexcept;

  /// Rows at the beginning of a file that leave the layer only at its end, if its first `num_late` come to it only
  /// then: those before the first window that can do without them.
  constexpr std::size_t num_late(std::size_t num_late) const noexcept {
    if (masking_ == Masking::kMasked) return 0;
    return shift_ + rounded_up(num_late - std::min(num_late, shift_), size_);
  }

 private:
  std::size_t size_;
  std::size_t shift_;
  Masking masking_;
};

}  // namespace byteformer::nn
