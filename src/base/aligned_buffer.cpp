// Memory for aligned_buffer.hpp: small pieces from the heap, large ones from the system.
#include "base/aligned_buffer.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

namespace byteformer::base {
namespace {

constexpr std::size_t kLarge = std::size_t{64} << 10;
constexpr std::size_t kPage = std::size_t{4} << 10;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::size_t round_up(std::size_t num_bytes, std::size_t unit) { return (num_bytes + unit - 1) / unit * unit; }

/// Whole huge pages, the last one only if at least half of it is used, and small ones for the rest.
std::size_t mapped_size(std::size_t num_bytes) {
  const std::size_t rest = num_bytes % kHugePage;
  return round_up(num_bytes, num_bytes > kHugePage && rest >= kHugePage / 2 ? kHugePage : kPage);
}

std::byte* map(std::size_t num_bytes, int flags = 0) {
  void* data = ::mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(data);
}

/// `num_bytes` at the start of a huge page.
std::byte* map_aligned(std::size_t num_bytes) {
  std::byte* const data = map(num_bytes + kHugePage);
  const std::size_t before =
      round_up(reinterpret_cast<std::uintptr_t>(data), kHugePage) - reinterpret_cast<std::uintptr_t>(data);
  if (before > 0) ::munmap(data, before);
  ::munmap(data + before + num_bytes, kHugePage - before);
  return data + before;
}

// Advice, here: it may be refused, and then pages come one by one.
void* map_pages(std::size_t num_bytes) {
  const std::size_t size = mapped_size(num_bytes);
  const std::size_t in_huge_pages = size / kHugePage * kHugePage;
  if (in_huge_pages == 0) return map(size, MAP_POPULATE);
  std::byte* const data = map_aligned(size);
  ::madvise(data, in_huge_pages, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE  // Linux 5.14
  if (size > in_huge_pages) ::madvise(data + in_huge_pages, size - in_huge_pages, MADV_POPULATE_WRITE);
#endif
  return data;
}

}  // namespace

void* allocate_zeroed(std::size_t num_bytes) {
  if (num_bytes >= kLarge) return map_pages(num_bytes);
  void* data = ::operator new (num_bytes, std::align_val_t{kAlignment});
  std::memset(data, 0, num_bytes);
  return data;
}

void release_zeroed(void* data, std::size_t num_bytes) noexcept {
  if (num_bytes >= kLarge) {
    ::munmap(data, mapped_size(num_bytes));
  } else {
    ::operator delete (data, std::align_val_t{kAlignment});
  }
}

}  // namespace byteformer::base
