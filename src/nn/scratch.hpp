// Temporary memory of a forward pass: one piece per worker, grown to what the largest task so far needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/check.hpp"
#include "base/thread_pool.hpp"
#include "kernels/reduced_kernels.hpp"

namespace byteformer::nn {

/// A buffer that only grows.
template <typename T>
class GrowingBuffer {
 public:
  T* get(std::size_t size) {
    if (buffer_.size() < size) buffer_ = base::AlignedBuffer<T>(size);
    return buffer_.data();
  }
  std::size_t num_bytes() const noexcept { return buffer_.num_bytes(); }

 private:
  base::AlignedBuffer<T> buffer_;
};
using ScratchBuffer = GrowingBuffer<float>;

/// What one worker needs while it runs a task.
struct WorkerScratch {
  ScratchBuffer normed;                     // [rows, hidden]; also the heads' outputs
  ScratchBuffer wide;                       // [rows, 3 hidden] or [rows, intermediate]
  ScratchBuffer attention;                  // one head's packed keys and values
  GrowingBuffer<std::uint32_t> groups;      // [rows, groups]: a linear layer's input in lower precision
  GrowingBuffer<kernels::RowRange> ranges;  // [rows]

  std::size_t num_bytes() const noexcept {
    return normed.num_bytes() + wide.num_bytes() + attention.num_bytes() + groups.num_bytes() + ranges.num_bytes();
  }
};

/// The threads of a forward pass and their memory.
struct Workers {
  explicit Workers(base::ThreadPool& thread_pool)
      : pool(thread_pool), scratch(static_cast<std::size_t>(thread_pool.num_threads())) {}

  /// Grows every worker's scratch before a loop: which worker gets the largest task is chance, and nothing is to be
  /// allocated after warm-up.
  void reserve(std::size_t normed, std::size_t wide, std::size_t attention) {
    for (WorkerScratch& worker : scratch) {
      worker.normed.get(normed);
      worker.wide.get(wide);
      worker.attention.get(attention);
    }
  }

  WorkerScratch& of(int worker) noexcept {
    BF_DCHECK_LT(worker, scratch.size());
    return scratch[static_cast<std::size_t>(worker)];
  }

  base::ThreadPool& pool;
  std::vector<WorkerScratch> scratch;     // [num_threads]
  ScratchBuffer shared;                   // used between parallel loops, by the caller alone
  GrowingBuffer<std::uint32_t> finished;  // tasks of a loop that others of the same loop wait for
};

}  // namespace byteformer::nn
