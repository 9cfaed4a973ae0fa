// Memory for aligned_buffer.hpp: small pieces from the heap, large ones from the system.
#include "base/aligned_buffer.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace byteformer::base {
namespace {

constexpr std::size_t kLarge = std::size_t{256} << 10;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

void* map_pages(std::size_t num_bytes) {
  const bool is_huge = num_bytes >= 2 * kHugePage;
  const int populate = is_huge ? 0 : MAP_POPULATE;
  void* data = ::mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  if (is_huge) ::madvise(data, num_bytes, MADV_HUGEPAGE);  // advice: it may be refused
  return data;
}

}  // namespace

void* allocate_zeroed(std::size_t num_bytes) {
  if (num_bytes >= kLarge) return map_pages(num_bytes);
  void* data = ::operator new(num_bytes, std::align_val_t{kAlignment});
  std::memset(data, 0, num_bytes);
  return data;
}

void release_zeroed(void* data, std::size_t num_bytes) noexcept {
  if (num_bytes >= kLarge) {
    ::munmap(data, num_bytes);
  } else {
    ::operator delete(data, std::align_val_t{kAlignment});
  }
}

}  // namespace byteformer::base
