// A fixed-size array aligned for vector loads, zeroed at birth.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace byteformer::base {

inline constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector

/// `num_bytes` zero bytes at a kAlignment boundary. Large pieces come from the system already zero, in huge pages as
/// far as they fill them, the rest with its pages present: a page fault for every 4 KiB would cost more than all that
/// is computed with small weights. \throws std::bad_alloc
void* allocate_zeroed(std::size_t num_bytes);
void release_zeroed(void* data, std::size_t num_bytes) noexcept;

class PageArena;

/// Owns `size()` elements of a trivial type; move-only.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = {static_cast<T*>(allocate_zeroed(num_bytes())), Release{num_bytes()}};
  }

  /// Elements in `arena`, which outlives them, as long as it has room; of their own otherwise, or where it is null.
  AlignedBuffer(std::size_t size, PageArena* arena);

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::size_t num_bytes() const noexcept { return size_ * sizeof(T); }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  std::span<T> span() noexcept { return {data_.get(), size_}; }
  std::span<const T> span() const noexcept { return {data_.get(), size_}; }

 private:
  struct Release {
    std::size_t num_bytes = 0;  // 0: the arena's
    void operator()(T* data) const noexcept {
      if (num_bytes > 0) release_zeroed(data, num_bytes);
    }
  };
  std::size_t size_ = 0;
  std::unique_ptr<T[], Release> data_;
};

/// Memory for buffers that are made and released together, in few pages. Not for several threads at once.
class PageArena {
 public:
  explicit PageArena(std::size_t num_bytes) : memory_(num_bytes) {}

  std::size_t size() const noexcept { return memory_.size(); }

  /// What a buffer of `num_bytes` takes of an arena.
  static constexpr std::size_t rounded(std::size_t num_bytes) noexcept {
    return (num_bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  /// The next `num_bytes` bytes, or null if there are not so many. They are zero until clear() is called.
  void* take(std::size_t num_bytes) noexcept {
    if (rounded(num_bytes) > memory_.size() - used_) return nullptr;
    void* taken = memory_.data() + used_;
    used_ += rounded(num_bytes);
    return taken;
  }

  /// Gives all of it back.
  void clear() noexcept { used_ = 0; }

 private:
  AlignedBuffer<std::byte> memory_;
  std::size_t used_ = 0;
};

template <typename T>
AlignedBuffer<T>::AlignedBuffer(std::size_t size, PageArena* arena) {
  void* data = arena != nullptr && size > 0 ? arena->take(size * sizeof(T)) : nullptr;
  if (data == nullptr) {
    *this = AlignedBuffer(size);
    return;
  }
  size_ = size;
  data_ = {static_cast<T*>(data), Release{}};
}

}  // namespace byteformer::base
