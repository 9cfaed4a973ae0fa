// Where the rows of a window lie in a file.
#include "nn/geometry.hpp"

#include <limits>

namespace byteformer::nn {

void WindowRows::append_to(std::vector<std::int32_t>& rows, std::size_t base) const {
  BF_DCHECK_LE(base + std::max(end, num_wrapped), std::numeric_limits<std::int32_t>::max());
  for (std::size_t row = begin; row < end; ++row) rows.push_back(static_cast<std::int32_t>(base + row));
  for (std::size_t row = 0; row < num_wrapped; ++row) rows.push_back(static_cast<std::int32_t>(base + row));
}

WindowRows WindowGeometry::window(std::size_t index, std::size_t num_rows) const noexcept {
  BF_DCHECK_LT(index, num_windows(num_rows));
  WindowRows rows;
  if (masking_ == Masking::kMasked) {
    rows.begin = at_least(index * size_, num_before()) - num_before();
    rows.end = std::min((index + 1) * size_ - num_before(), num_rows);
    BF_DCHECK_LT(rows.begin, rows.end);
    return rows;
  }
  const std::size_t begin = shift_ + index * size_;
  const std::size_t num_padded_rows = num_padded(num_rows);
  rows.begin = std::min(begin, num_rows);
  rows.end = std::min(begin + size_, num_rows);
  rows.num_wrapped = std::min(at_least(begin + size_, num_padded_rows) - num_padded_rows, num_rows);
  BF_DCHECK_LT(0, rows.num_rows());
  BF_DCHECK_LE(rows.num_rows(), size_);
  rows.num_filler = size_ - rows.num_rows();
  return rows;
}

}  // namespace byteformer::nn
