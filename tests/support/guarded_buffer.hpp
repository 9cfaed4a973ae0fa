// Memory that ends at a page which may not be touched, so that reading one element too far crashes a test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <span>

namespace byteformer::test {

template <typename T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t size) : size_(size) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t used = (size * sizeof(T) + page - 1) / page * page;
    length_ = used + page;
    base_ = ::mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(static_cast<char*>(base_) + used, page, PROT_NONE);
    data_ = reinterpret_cast<T*>(static_cast<char*>(base_) + used - size * sizeof(T));
  }
  ~GuardedBuffer() { ::munmap(base_, length_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  T* data() { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  void* base_ = nullptr;
  std::size_t length_ = 0;
  std::size_t size_ = 0;
  T* data_ = nullptr;
};

}  // namespace byteformer::test
