// Follows the rows of each file as they come, and cuts where the geometry says.
#include "nn/window_cutter.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace byteformer::nn {

WindowCutter::WindowCutter(const WindowGeometry& geometry, std::size_t late_in, std::size_t columns)
    : geometry_(geometry), late_in_(late_in), late_out_(geometry.num_late(late_in)), rows_(columns) {
  begin_file();
}

void WindowCutter::begin_file() {
  next_row_ = late_in_;
  next_cut_ = late_out_ + geometry_.size() - geometry_.num_before();
  head_ = {};
  pending_ = {};
  pieces_.emplace_back();
}

void WindowCutter::clear() {
  num_rows_ = 0;
  windows_.clear();
  order_.clear();
  pieces_.clear();
  begin_file();
}

void WindowCutter::push(const PackedRows& in, base::ThreadPool& pool) {
  BF_DCHECK_EQ(in.buffer.row_size(), rows_.row_size());
  BF_DCHECK(in.is_whole());
  rows_.reserve(num_rows_ + in.num_rows, num_rows_);
  copy_floats(in.buffer.row(0), in.num_rows * rows_.row_size(), rows_.row(num_rows_), pool);
  for (const Segment& segment : in.segments) {
    add_rows(num_rows_, segment.num_rows);
    num_rows_ += segment.num_rows;
    if (segment.ends) {
      end_file({num_rows_, segment.num_late});
      num_rows_ += segment.num_late;
      begin_file();
    }
  }
}

void WindowCutter::add_rows(std::size_t first, std::size_t count) {
  if (next_row_ < late_out_) {
    const std::size_t taken = std::min(count, late_out_ - next_row_);
    if (head_.count == 0) head_.begin = first;
    head_.count += taken;
    next_row_ += taken;
    first += taken;
    count -= taken;
  }
  if (count == 0) return;
  if (pending_.count == 0) pending_.begin = first;
  pending_.count += count;
  next_row_ += count;
  while (next_cut_ <= next_row_) {
    const std::size_t remaining = next_row_ - next_cut_;
    cut({pending_.begin, pending_.count - remaining});
    pending_ = {pending_.begin + pending_.count - remaining, remaining};
    next_cut_ += geometry_.size();
  }
}

void WindowCutter::cut(Stretch run) {
  BF_DCHECK(run.count > 0 && run.count <= geometry_.size());
  BF_DCHECK_LE(order_.size(), run.begin);  // each row is in one window
  windows_.push_back({order_.size(), run.count, 0});
  for (std::size_t i = 0; i < run.count; ++i) order_.push_back(static_cast<std::int32_t>(run.begin + i));
  Piece& piece = pieces_.back();
  if (piece.main.count == 0) piece.main.begin = run.begin;
  piece.main.count += run.count;
  ++piece.main_windows;
}

void WindowCutter::end_file(Stretch late) {
  BF_DCHECK_LE(late.count, late_in_);
  BF_DCHECK(late.count == late_in_ || next_row_ == late_in_);  // a file that is shorter is late as a whole
  if (geometry_.masking() == Masking::kMasked) {
    if (pending_.count > 0) cut(pending_);
  } else {
    wrap_around(late, late.count < late_in_ ? late.count : next_row_);
  }
  pieces_.back().ends = true;
}

void WindowCutter::wrap_around(Stretch late, std::size_t num_rows) {
  BF_DCHECK_LT(0, num_rows);
  const std::size_t num_windows = geometry_.num_windows(num_rows);
  Piece& piece = pieces_.back();
  std::size_t num_late = num_windows;  // windows that belong to the late rows
  if (num_rows > late_out_) {
    num_late = geometry_.window_of(late_out_, num_rows);
    if (piece.main.count == 0) piece.main.begin = pending_.begin;
    piece.main.count += pending_.count;
    for (std::size_t i = geometry_.window_of(next_row_ - pending_.count, num_rows); i < num_windows; ++i) {
      cut_wrapped(geometry_.window(i, num_rows), late);
      ++piece.main_windows;
    }
  }
  for (std::size_t i = 0; i < num_late; ++i) cut_wrapped(geometry_.window(i, num_rows), late);
  piece.late_windows = num_late;
  piece.late = late;
  piece.head = head_;
}

void WindowCutter::cut_wrapped(const WindowRows& rows, Stretch late) {
  const std::size_t begin = order_.size();
  windows_.push_back({begin, rows.num_rows(), rows.num_filler});
  rows.append_to(order_);
  const std::size_t pending_start = next_row_ - pending_.count;
  for (std::size_t i = begin; i < order_.size(); ++i) {
    const auto row = static_cast<std::size_t>(order_[i]);
    std::size_t place = pending_.begin + (row - pending_start);
    if (row < late_out_) place = head_.begin + (row - late_in_);
    if (row < late.count) place = late.begin + row;
    BF_DCHECK_LT(place, num_rows_ + late.count);
    order_[i] = static_cast<std::int32_t>(place);
  }
}

void WindowCutter::emit_rows(PackedRows& out, base::ThreadPool& pool) {
  out.clear();
  const auto copy = [&](Stretch run) { out.append_copy(rows_.row(run.begin), run.count, pool); };
  for (const Piece& piece : pieces_) {
    if (piece.main.count == 0 && !piece.ends) continue;
    copy(piece.main);
    copy(piece.late);
    copy(piece.head);
    out.segments.push_back({piece.main.count, piece.late.count + piece.head.count, piece.ends});
  }
  BF_DCHECK(out.is_whole());
  BF_DCHECK_EQ(out.num_rows, order_.size());  // windows hold all rows that leave, each once
  drop_emitted();
}

void WindowCutter::emit_windows(const float* merged, PackedRows& out, base::ThreadPool& pool) {
  BF_DCHECK_EQ(out.buffer.row_size(), rows_.row_size());
  out.clear();
  out.append_copy(merged, windows_.size(), pool);
  for (const Piece& piece : pieces_) {
    if (piece.main_windows == 0 && !piece.ends) continue;
    out.segments.push_back({piece.main_windows, piece.late_windows, piece.ends});
  }
  BF_DCHECK(out.is_whole());
  drop_emitted();
}

void WindowCutter::drop_emitted() {
  std::size_t kept = 0;
  const auto keep = [&](Stretch& run) {
    BF_DCHECK(run.count == 0 || kept <= run.begin);
    const float* from = rows_.row(run.begin);
    std::copy(from, from + run.count * rows_.row_size(), rows_.row(kept));  // towards the front: may overlap
    run.begin = kept;
    kept += run.count;
  };
  keep(head_);
  keep(pending_);
  num_rows_ = kept;
  windows_.clear();
  order_.clear();
  pieces_.clear();
  pieces_.emplace_back();
}

}  // namespace byteformer::nn
