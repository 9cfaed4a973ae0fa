// Buffers are aligned and zero whatever their size, and pieces of an arena do not overlap.
#include "base/aligned_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace byteformer::base {
namespace {

bool is_aligned(const void* data) { return reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0; }

TEST(AlignedBuffer, IsZeroWhateverItsSize) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  for (const std::size_t size : {std::size_t{1}, std::size_t{65'535}, std::size_t{65'536}, std::size_t{300'001},
                                 kHugePage - 1, kHugePage, kHugePage + 1, 3 * kHugePage / 2 + 1, 5 * kHugePage - 7}) {
    AlignedBuffer<std::uint8_t> buffer(size);
    ASSERT_TRUE(is_aligned(buffer.data())) << size;
    ASSERT_TRUE(std::ranges::all_of(buffer.span(), [](std::uint8_t byte) { return byte == 0; })) << size;
    std::ranges::fill(buffer.span(), std::uint8_t{1});
    const AlignedBuffer<std::uint8_t> moved = std::move(buffer);
    EXPECT_EQ(moved[size - 1], 1) << size;
  }
}

TEST(PageArena, GivesPiecesOneAfterAnother) {
  PageArena arena(PageArena::rounded(5 * sizeof(float)) + PageArena::rounded(100));
  AlignedBuffer<float> floats(5, &arena);
  AlignedBuffer<std::uint8_t> bytes(100, &arena);
  EXPECT_TRUE(is_aligned(floats.data()) && is_aligned(bytes.data()));
  std::ranges::fill(floats.span(), 1.0f);
  EXPECT_TRUE(std::ranges::all_of(bytes.span(), [](std::uint8_t byte) { return byte == 0; }));
  EXPECT_EQ(arena.take(1), nullptr);
  arena.clear();
  EXPECT_EQ(arena.take(1), floats.data());
}

TEST(PageArena, BuffersThatDoNotFitHaveMemoryOfTheirOwn) {
  PageArena arena(64);
  const AlignedBuffer<float> large(17, &arena);
  const AlignedBuffer<float> none(0, &arena);
  const AlignedBuffer<float> alone(17, nullptr);
  EXPECT_EQ(large.size(), 17u);
  EXPECT_EQ(alone.size(), 17u);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_NE(arena.take(64), nullptr) << "nothing was taken for the large one";
}

}  // namespace
}  // namespace byteformer::base
