// A fixed-size array aligned for vector loads, zeroed at birth.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace byteformer::base {

inline constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector

/// `num_bytes` zero bytes at a kAlignment boundary. Large pieces come from the system already zero, with all their
/// pages present: that spares a page fault for every 4 KiB of weights. \throws std::bad_alloc
void* allocate_zeroed(std::size_t num_bytes);
void release_zeroed(void* data, std::size_t num_bytes) noexcept;

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
    std::size_t num_bytes = 0;
    void operator()(T* data) const noexcept { release_zeroed(data, num_bytes); }
  };
  std::size_t size_ = 0;
  std::unique_ptr<T[], Release> data_;
};

}  // namespace byteformer::base
