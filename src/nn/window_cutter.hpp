// Cuts the rows of files into attention windows as they arrive, without rolling or appending anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.hpp"
#include "nn/geometry.hpp"
#include "nn/packed_rows.hpp"

namespace byteformer::nn {

/// The rows that wait in front of one layer, and the windows that are complete.
///
/// Where the last window wraps around to a file's first rows, what the first windows need comes last: of a file whose
/// first `late_in` rows arrive late, the first num_late() leave late. Used by one thread at a time, which lets a pool
/// copy rows.
/// \see docs/architecture.md, "Windows without rolling"
class WindowCutter {
 public:
  WindowCutter(const WindowGeometry& geometry, std::size_t late_in, std::size_t columns);

  /// Rows at the beginning of a file that leave only at its end.
  std::size_t num_late() const noexcept { return late_out_; }

  /// Takes over the rows of `in` and cuts the windows that they complete.
  void push(const PackedRows& in, base::ThreadPool& pool);

  /// Rows in complete windows: what a pass over windows() would compute.
  std::size_t num_ready() const noexcept { return order_.size(); }

  std::span<const Window> windows() const noexcept { return windows_; }
  std::span<const std::int32_t> order() const noexcept { return order_; }  ///< rows of rows(), window by window
  float* rows() noexcept { return rows_.row(0); }
  std::size_t row_size() const noexcept { return rows_.row_size(); }

  /// Replaces `out` by the rows of all complete windows, each file's in its order and the late ones last, and forgets
  /// those windows.
  void emit_rows(PackedRows& out, base::ThreadPool& pool);

  /// The same with one row per window, in the order of windows(); `merged` holds them.
  void emit_windows(const float* merged, PackedRows& out, base::ThreadPool& pool);

  /// Forgets everything, also a file that is not complete.
  void clear();

  /// Bytes held, at the largest so far.
  std::size_t num_bytes() const noexcept { return rows_.capacity() * rows_.row_size() * sizeof(float); }

 private:
  struct Stretch {
    std::size_t begin = 0;
    std::size_t count = 0;
  };
  /// What leaves of one file at the next emission.
  struct Piece {
    Stretch main, late, head;
    std::size_t main_windows = 0;
    std::size_t late_windows = 0;
    bool ends = false;
  };

  void begin_file();
  void add_rows(std::size_t first, std::size_t count);
  void end_file(Stretch late);
  void wrap_around(Stretch late, std::size_t num_rows);
  void cut(Stretch run);
  void cut_wrapped(const WindowRows& rows, Stretch late);
  void drop_emitted();

  WindowGeometry geometry_;
  std::size_t late_in_;
  std::size_t late_out_;

  RowBuffer rows_;
  std::size_t num_rows_ = 0;
  std::vector<Window> windows_;
  std::vector<std::int32_t> order_;
  std::vector<Piece> pieces_;  // the last one is the open file's

  // The open file: absolute numbers count the file's rows from 0.
  std::size_t next_row_ = 0;  // absolute number of the next row in order
  std::size_t next_cut_ = 0;  // absolute end of the window being filled
  Stretch head_;              // rows late_in_ ... late_out_ - 1, which wait for the end
  Stretch pending_;           // rows of the window being filled
};

}  // namespace byteformer::nn
