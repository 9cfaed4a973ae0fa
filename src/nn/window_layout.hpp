// Which rows of a whole file attend to one another in a layer: what WindowCutter cuts, with all rows at hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "byteformer/masking.hpp"

namespace byteformer::nn {

/// The windows of one layer for a file of `num_rows` rows. Every row is in exactly one; rows are counted in the order
/// of the file. A token merge is a layer with windows of two rows and shift 0.
/// \see docs/architecture.md, "Windows without rolling"
class WindowLayout {
 public:
  /// \param num_rows at least 1
  WindowLayout(std::size_t size, std::size_t shift, Masking masking, std::size_t num_rows) noexcept;

  std::size_t num_rows() const noexcept { return num_rows_; }
  std::size_t num_windows() const noexcept;

  /// The window that `row` is in.
  std::size_t window_of(std::size_t row) const noexcept;

  /// Appends the rows of `window` to `rows` in the order in which WindowCutter hands them to the layer, on which the
  /// bits of the result depend. \returns the number of zero rows beside them.
  std::size_t append_rows(std::size_t window, std::vector<std::int32_t>& rows) const;

 private:
  bool is_masked() const noexcept { return masking_ == Masking::kMasked; }

  std::size_t size_;
  std::size_t shift_;
  Masking masking_;
  std::size_t num_rows_;
  std::size_t padded_rows_;  // num_rows rounded up to whole windows
};

}  // namespace byteformer::nn
