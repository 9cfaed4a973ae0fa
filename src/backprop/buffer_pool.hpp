// Large buffers that are used again step after step: the system would clear the pages of new ones each time.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "base/check.hpp"

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

/// Must outlive what it lends. Not thread-safe.
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

}  // namespace byteformer::backprop
