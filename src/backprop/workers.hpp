// The threads of a training step, their kernels and their memory.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/check.hpp"
#include "base/thread_pool.hpp"
#include "kernels/kernels.hpp"
#include "kernels/training_kernels.hpp"

namespace byteformer::backprop {

class BufferPool;

/// Floats lent by a pool, given back at the end of their life. Their first content is whatever was there.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(PooledBuffer&& other) noexcept { swap(other); }
  PooledBuffer& operator=(PooledBuffer&& other) noexcept {
    PooledBuffer(std::move(other)).swap(*this);
    return *this;
  }
  ~PooledBuffer();

  float* data() noexcept { return buffer_.data(); }
  const float* data() const noexcept { return buffer_.data(); }
  std::size_t size() const noexcept { return buffer_.size(); }  ///< at least what was asked for

 private:
  friend class BufferPool;
  PooledBuffer(BufferPool& pool, base::AlignedBuffer<float> buffer) : pool_(&pool), buffer_(std::move(buffer)) {}
  void swap(PooledBuffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(buffer_, other.buffer_);
  }

  BufferPool* pool_ = nullptr;
  base::AlignedBuffer<float> buffer_;
};

/// Large buffers that are used again step after step: the system would clear the pages of new ones each time. Must
/// outlive what it lends. Not thread-safe.
class BufferPool {
 public:
  PooledBuffer take(std::size_t num_floats) {
    std::size_t best = idle_.size();
    for (std::size_t i = 0; i < idle_.size(); ++i)
      if (idle_[i].size() >= num_floats && (best == idle_.size() || idle_[i].size() < idle_[best].size())) best = i;
    // A buffer of more than twice the size is kept for what needs it.
    if (best == idle_.size() || idle_[best].size() > 2 * num_floats + kSmall)
      return {*this, base::AlignedBuffer<float>(num_floats + num_floats / 8)};
    base::AlignedBuffer<float> buffer = std::move(idle_[best]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(best));
    return {*this, std::move(buffer)};
  }

 private:
  friend class PooledBuffer;
  static constexpr std::size_t kSmall = 1 << 16;
  static constexpr std::size_t kMostIdle = 256;
  void give_back(base::AlignedBuffer<float> buffer) {
    BF_DCHECK_LT(0, buffer.size());
    if (idle_.size() >= kMostIdle) idle_.erase(idle_.begin());
    idle_.push_back(std::move(buffer));
  }
  std::vector<base::AlignedBuffer<float>> idle_;
};

inline PooledBuffer::~PooledBuffer() {
  if (pool_ != nullptr && buffer_.size() > 0) pool_->give_back(std::move(buffer_));
}

/// A stack of floats that only grows; taken apart anew by each task.
class Arena {
 public:
  void reserve(std::size_t num_floats) {
    if (buffer_.size() < num_floats) buffer_ = base::AlignedBuffer<float>(num_floats);
    used_ = 0;
  }
  /// The next `num_floats`, which must have been reserved; their content is whatever was there.
  float* take(std::size_t num_floats) {
    float* taken = buffer_.data() + used_;
    used_ += kernels::padded(num_floats);
    BF_DCHECK_LE(used_, buffer_.size());
    return taken;
  }
  void clear() { used_ = 0; }

 private:
  base::AlignedBuffer<float> buffer_;
  std::size_t used_ = 0;
};

/// Not for use by two passes at once.
struct TrainingWorkers {
  explicit TrainingWorkers(base::ThreadPool& thread_pool, const kernels::Kernels& with)
      : pool(thread_pool),
        kernels(with),
        training(kernels::training_kernels_for(with)),
        arenas(static_cast<std::size_t>(thread_pool.num_threads())) {}

  Arena& arena(int worker) {
    BF_DCHECK_LT(worker, arenas.size());
    return arenas[static_cast<std::size_t>(worker)];
  }
  void reserve_each(std::size_t num_floats) {
    for (Arena& arena : arenas) arena.reserve(num_floats);
  }
  /// Where the operands of the next products go; those of `waiting` stay where they are.
  Arena& next_operands() { return operands[turn ^= 1]; }

  /// Runs a loop like the pool, and the products that wait, on threads that find no more to do in the loop.
  template <typename Body>
  void parallel_for(std::size_t count, const Body& body) {
    pool.parallel_for(count + waiting.size(), [&](std::size_t i, int worker) noexcept {
      if (i < count) {
        body(i, worker);
      } else {
        training.add_outer_product(waiting[i - count]);
      }
    });
    waiting.clear();
  }
  /// Runs the products that wait.
  void finish() {
    parallel_for(0, [](std::size_t, int) noexcept {});
  }

  base::ThreadPool& pool;
  const kernels::Kernels& kernels;
  const kernels::TrainingKernels& training;
  std::vector<Arena> arenas;                // [num_threads]
  Arena shared;                             // used by the caller between loops
  BufferPool buffers;                       // what lives from a forward pass to its backward pass
  std::vector<kernels::OuterArgs> waiting;  // parts of weights' gradients, each of other elements
  Arena operands[2];
  std::size_t turn = 0;
};

}  // namespace byteformer::backprop
