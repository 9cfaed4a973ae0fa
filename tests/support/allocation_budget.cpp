// Replaces the global operator new and delete to count what is alive.
#include "support/allocation_budget.hpp"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace byteformer::test {
namespace {

std::atomic<std::int64_t> live_bytes{0};
std::atomic<std::int64_t> max_live_bytes{INT64_MAX};

}  // namespace

AllocationBudget::AllocationBudget(std::size_t max_bytes) {
  max_live_bytes = live_bytes + static_cast<std::int64_t>(max_bytes);
}

AllocationBudget::~AllocationBudget() { max_live_bytes = INT64_MAX; }

static void* allocate_or_null(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept {
  if (static_cast<std::int64_t>(size) < 0 || live_bytes + static_cast<std::int64_t>(size) > max_live_bytes)
    return nullptr;
  void* block = std::aligned_alloc(alignment, (size / alignment + 1) * alignment);
  if (block == nullptr) return nullptr;
  live_bytes += static_cast<std::int64_t>(malloc_usable_size(block));
  return block;
}

static void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
  void* block = allocate_or_null(size, alignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

static void release(void* block) noexcept {
  if (block == nullptr) return;
  live_bytes -= static_cast<std::int64_t>(malloc_usable_size(block));
  std::free(block);
}

}  // namespace byteformer::test

void* operator new(std::size_t size) { return byteformer::test::allocate(size); }
void* operator new[](std::size_t size) { return byteformer::test::allocate(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return byteformer::test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return byteformer::test::allocate_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return byteformer::test::allocate_or_null(size);
}
void operator delete(void* block) noexcept { byteformer::test::release(block); }
void operator delete[](void* block) noexcept { byteformer::test::release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { byteformer::test::release(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { byteformer::test::release(block); }
void operator delete(void* block, std::size_t) noexcept { byteformer::test::release(block); }
void operator delete[](void* block, std::size_t) noexcept { byteformer::test::release(block); }
void operator delete(void* block, std::align_val_t) noexcept { byteformer::test::release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { byteformer::test::release(block); }
