// The memory that all decoding shares: who must wait, who is refused, and that decoders ask before they allocate.
#include "media/memory_budget.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/bytes_io.hpp"
#include "media/decoding.hpp"
#include "media/image.hpp"
#include "media/pictures.hpp"
#include "media/sound.hpp"
#include "media/sounds.hpp"
#include "support/allocation_budget.hpp"
#include "support/errors.hpp"

namespace byteformer::media {
namespace {

TEST(MemoryBudget, IsNeverExceededByThreadsThatHoldOneShareEach) {
  MemoryBudget budget(100);
  std::atomic<int> used = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, num_bytes = 20 + 10 * i] {
      for (int turn = 0; turn < 50; ++turn) {
        const auto share = budget.reserve(static_cast<std::uint64_t>(num_bytes));
        const int now = used += num_bytes;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        used -= num_bytes;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 100);
  EXPECT_GE(most, 90) << "the largest share was never taken";
}

TEST(MemoryBudget, AThreadThatHoldsAShareDoesNotWaitForItself) {
  MemoryBudget budget(100);
  const auto first = budget.reserve(80);
  const auto second = budget.reserve(80);
  EXPECT_TRUE(MemoryBudget::Share(second) == first) << "shares are no part of what they are for";
}

TEST(MemoryBudget, OneThreadAtATimeGoesBeyondIt) {
  constexpr int kThreads = 8, kFirst = 12, kMore = 90;
  MemoryBudget budget(100);
  std::atomic<int> beyond = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int turn = 0; turn < 50; ++turn) {
        auto first = budget.reserve(kFirst);
        const auto second = budget.reserve(kMore);  // with its own first share it is more than all
        const int now = ++beyond;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        EXPECT_TRUE(first.grow(1)) << "who is beyond never waits";
        --beyond;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(MemoryBudget, SharesMoveShrinkAndGrow) {
  MemoryBudget budget(100);
  auto share = budget.reserve(90);
  EXPECT_FALSE(share.grow(11));
  EXPECT_TRUE(share.grow(10));
  MemoryBudget::Share moved = std::move(share);
  const MemoryBudget::Share copy = moved;  // holds nothing
  moved.shrink(40);
  auto other = std::async(std::launch::async, [&] { return budget.reserve(60); });
  EXPECT_EQ(other.wait_for(std::chrono::seconds(20)), std::future_status::ready) << "60 of 100 bytes are free";
}

/// A TIFF of 2^28 pixels of 16 bits that says it is compressed by LZW, so that 150 kB may well be all of it.
FileBytes huge_tiff() {
  constexpr std::uint32_t kShort = 3, kLong = 4, kSide = 16384;
  FileBytes file;
  base::append_text(file, "II");
  base::append_little_endian(file, 42, 2);
  base::append_little_endian(file, 8, 4);
  base::append_little_endian(file, 8, 2);
  for (const auto& [tag, type, value] : std::initializer_list<std::array<std::uint32_t, 3>>{{256, kLong, kSide},
                                                                                            {257, kLong, kSide},
                                                                                            {258, kShort, 16},
                                                                                            {259, kShort, 5},
                                                                                            {262, kShort, 1},
                                                                                            {273, kLong, 200},
                                                                                            {278, kLong, kSide},
                                                                                            {279, kLong, 150'000}}) {
    base::append_little_endian(file, tag, 2);
    base::append_little_endian(file, type, 2);
    base::append_little_endian(file, 1, 4);
    base::append_little_endian(file, value, 4);
  }
  file.resize(150'200);
  return file;
}

TEST(DecodingMemory, IsAskedForBeforeItIsTaken) {
  const FileBytes file = huge_tiff();
  const test::AllocationBudget budget(16 << 20);
  test::expect_error(ErrorCode::kInvalidFormat, {"huge.tiff", "MiB of memory", "at most 1024 MiB"},
                     [&] { decode_image(file, "huge.tiff"); });
}

TEST(DecodingMemory, IsAskedForByWhatIsMadeOfPicturesAndSounds) {
  Sound resampled_sound = resampled({8000, std::vector<float>(1000, 0.5f)}, 192000);
  EXPECT_TRUE(resampled_sound.memory.grow(kMaxDecodingBytes - resampled_sound.samples.size() * sizeof(float)));
  EXPECT_FALSE(resampled_sound.memory.grow(1));
  resampled_sound = {};
  Image large = resized({2, 2, std::vector<std::uint8_t>(12)}, 100, 50);
  EXPECT_TRUE(large.memory.grow(kMaxDecodingBytes - large.rgb.size()));
  EXPECT_FALSE(large.memory.grow(1));
}

TEST(DecodingMemory, OfAnotherThreadMakesAnEncoderWait) {
  const Sound sound{8000, std::vector<float>(1000, 0.5f)};
  auto held = std::make_unique<MemoryBudget::Share>(memory_for(kMaxDecodingBytes));
  auto encoded = std::async(std::launch::async, [&] { return encode_wav(sound, SampleFormat::kInt16); });
  EXPECT_EQ(encoded.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  held.reset();
  EXPECT_EQ(encoded.get().size(), 2044U);
}

TEST(DecodingMemory, BelongsToWhatWasDecodedUntilItIsDropped) {
  for (const test::Picture& picture : test::pictures()) {
    SCOPED_TRACE(picture.name);
    Image image = decode_image(picture.bytes(), "x");
    EXPECT_TRUE(image.memory.grow(kMaxDecodingBytes - image.rgb.size())) << "more than its pixels was kept";
    EXPECT_FALSE(image.memory.grow(1)) << "less than its pixels was kept";
    image = {};
    std::thread([&] { decode_image(picture.bytes(), "y"); }).join();  // would wait, had the memory not come back
  }
  for (const test::SoundSample& sample : test::sounds()) {
    SCOPED_TRACE(sample.name);
    Sound sound = decode_sound(sample.bytes(), "x");
    EXPECT_GE(sound.samples.capacity(), sound.samples.size());
    EXPECT_TRUE(sound.memory.grow(kMaxDecodingBytes - sound.samples.capacity() * sizeof(float)));
    EXPECT_FALSE(sound.memory.grow(1));
  }
}

}  // namespace
}  // namespace byteformer::media
