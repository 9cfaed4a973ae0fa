// Implementation of window_layout.hpp.
#include "nn/window_layout.hpp"

#include <algorithm>

namespace byteformer::nn {
namespace {

void append(std::size_t begin, std::size_t end, std::vector<std::int32_t>& rows) {
  for (std::size_t row = begin; row < end; ++row) rows.push_back(static_cast<std::int32_t>(row));
}

}  // namespace

WindowLayout::WindowLayout(std::size_t size, std::size_t shift, Masking masking, std::size_t num_rows) noexcept
    : size_(size),
      shift_(shift % size),
      masking_(masking),
      num_rows_(num_rows),
      padded_rows_((num_rows + size - 1) / size * size) {}

std::size_t WindowLayout::num_windows() const noexcept {
  return is_masked() ? window_of(num_rows_ - 1) + 1 : padded_rows_ / size_;
}

std::size_t WindowLayout::window_of(std::size_t row) const noexcept {
  if (row < shift_) return is_masked() ? 0 : padded_rows_ / size_ - 1;
  return (row - shift_) / size_ + (is_masked() && shift_ > 0 ? 1 : 0);
}

std::size_t WindowLayout::append_rows(std::size_t window, std::vector<std::int32_t>& rows) const {
  if (is_masked()) {
    const std::size_t end = shift_ > 0 ? shift_ + window * size_ : (window + 1) * size_;
    append(end < size_ ? 0 : end - size_, std::min(end, num_rows_), rows);
    return 0;
  }
  const std::size_t before = rows.size();
  const std::size_t begin = shift_ + window * size_;
  append(begin, std::min(begin + size_, num_rows_), rows);
  if (begin + size_ > padded_rows_) append(0, std::min(shift_, num_rows_), rows);  // the last window wraps around
  return size_ - (rows.size() - before);
}

}  // namespace byteformer::nn
