// The threads of a training step, their kernels and their memory.
#pragma once

#include <cstddef>
#include <vector>

#include "backprop/buffer_pool.hpp"
#include "base/aligned_buffer.hpp"
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
    return taken;
  }
  void clear() { used_ = 0; }

 private:
  base::AlignedBuffer<float> buffer_;
  std::size_t used_ = 0;
};

/// Not for use by two passes at once.
struct Workers {
  explicit Workers(base::ThreadPool& thread_pool, const kernels::Kernels& with)
      : pool(thread_pool),
        kernels(with),
        training(kernels::training_kernels_for(with)),
        arenas(static_cast<std::size_t>(thread_pool.num_threads())) {}

  Arena& arena(int worker) { return arenas[static_cast<std::size_t>(worker)]; }
  void reserve_each(std::size_t num_floats) {
    for (Arena& arena : arenas) arena.reserve(num_floats);
  }

  base::ThreadPool& pool;
  const kernels::Kernels& kernels;
  const kernels::TrainingKernels& training;
  std::vector<Arena> arenas;  // [num_threads]
  Arena shared;               // used by the caller between loops
  Arena packed;               // weights in the form that products read
  Arena chunk;                // rows whose gradients become those of weights
  BufferPool buffers;         // what lives from a forward pass to its backward pass
};

}  // namespace byteformer::backprop
