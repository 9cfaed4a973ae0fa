// The threads of a training step, their kernels and their memory.
#pragma once

#include <cstddef>
#include <vector>

#include "backprop/buffer_pool.hpp"
#include "base/aligned_buffer.hpp"
#include "base/check.hpp"
#include "base/thread_pool.hpp"
#include "kernels/kernels.hpp"
#include "kernels/training_kernels.hpp"

namespace byteformer::backprop {

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
