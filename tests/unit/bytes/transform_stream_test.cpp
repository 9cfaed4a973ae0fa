// Transforms of pieces: the same bytes as of the whole file, in memory that does not grow with it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "bytes/files.hpp"
#include "bytes/transforms.hpp"
#include "support/allocation_budget.hpp"
#include "support/effort.hpp"
#include "support/errors.hpp"

namespace byteformer::bytes {
namespace {

using test::expect_error;

/// Cuts `file` where `next_size` says.
template <typename NextSize>
File streamed(const Transforms& transforms, const File& file, const NextSize& next_size) {
  TransformStream stream(transforms, file.size());
  File out;
  const auto take = [&](std::span<const std::uint8_t> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  std::span<const std::uint8_t> rest = file;
  while (!rest.empty()) {
    const std::size_t size = std::min(rest.size(), std::size_t{next_size()});
    take(stream.push(rest.first(size)));
    rest = rest.subspan(size);
  }
  take(stream.finish());
  return out;
}

Transforms some_transforms() {
  Transforms transforms;
  if (*rc::gen::arbitrary<bool>())
    transforms.shuffle = {ShuffleMode::kWindowShuffle, static_cast<std::uint32_t>(*rc::gen::inRange(1, 300))};
  if (*rc::gen::arbitrary<bool>()) transforms.mask = {.keep_frac = *rc::gen::inRange(1, 101) / 100.0};
  if (*rc::gen::arbitrary<bool>()) transforms.noise = {-*rc::gen::inRange(0, 256), *rc::gen::inRange(0, 256)};
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    transforms.permutations.push_back(BytePermutation::of_seed(*rc::gen::arbitrary<std::uint64_t>()));
  return transforms;
}

RC_GTEST_PROP(TransformStreamProperty, EqualsTheWholeFileWhateverThePieces, ()) {
  const Transforms transforms = some_transforms();
  const int around = *rc::gen::element(100, 1000, static_cast<int>(kHeadBytes), 2 * static_cast<int>(kHeadBytes));
  const File file = random_file(static_cast<std::size_t>(*rc::gen::inRange(around - 100, around + 100)));
  if (transforms.mask && static_cast<int>(transforms.mask->keep_frac * static_cast<double>(file.size())) == 0) return;
  const File expected = transformed(transforms, file);
  const auto largest = static_cast<std::uint64_t>(*rc::gen::element(3, 700, 100'000));
  base::Random random(file.size());
  RC_ASSERT(streamed(transforms, file, [&] { return static_cast<std::size_t>(random.below(largest + 1)); }) ==
            expected);
}

TEST(TransformStreamTest, WindowsAreCompleteAtEveryLength) {
  for (const std::uint32_t n : {1U, 2U, 7U})
    for (std::size_t length = 0; length < 4 * n + 2; ++length)
      for (const std::size_t piece : {std::size_t{1}, std::size_t{n}, std::size_t{n + 1}}) {
        const Transforms transforms{.shuffle = Shuffle{ShuffleMode::kWindowShuffle, n}};
        EXPECT_EQ(streamed(transforms, counting(length), [&] { return piece; }),
                  transformed(transforms, counting(length)))
            << n << " " << length << " " << piece;
      }
}

TEST(TransformStreamTest, BytesFlowAsSoonAsTheyCan) {
  TransformStream plain({.permutations = {BytePermutation::of_seed()}});
  EXPECT_EQ(plain.push(counting(3)).size(), 3U);
  EXPECT_TRUE(plain.finish().empty());
  TransformStream windows({.shuffle = Shuffle{ShuffleMode::kWindowShuffle, 4}});
  EXPECT_EQ(windows.push(counting(3)).size(), 0U);
  EXPECT_EQ(windows.push(counting(6)).size(), 8U);
  EXPECT_EQ(windows.finish().size(), 1U);
  TransformStream noise({.noise = UniformNoise{-1, 1}});
  EXPECT_EQ(noise.push(counting(kHeadBytes - 1)).size(), 0U);
  EXPECT_EQ(noise.push(counting(1)).size(), kHeadBytes);
  EXPECT_EQ(noise.push(counting(1)).size(), 1U);
}

TEST(TransformStreamTest, MemoryDoesNotGrowWithTheFile) {
  constexpr std::size_t kPieceBytes = 1 << 16;
  constexpr std::size_t kNumPieces = test::effort(1024);  // 64 MiB
  const File piece = counting(kPieceBytes);
  const Transforms transforms{.shuffle = Shuffle{ShuffleMode::kWindowShuffle, 1000},
                              .noise = UniformNoise{-20, 20},
                              .permutations = {BytePermutation::of_seed()}};
  const test::AllocationBudget budget(std::size_t{1} << 20);
  TransformStream stream(transforms);
  std::size_t num_bytes = 0;
  for (std::size_t i = 0; i < kNumPieces; ++i) num_bytes += stream.push(piece).size();
  num_bytes += stream.finish().size();
  EXPECT_EQ(num_bytes, kNumPieces * kPieceBytes);
}

TEST(TransformStreamTest, SaysWhatCannotFlow) {
  for (const char* mode : {"reverse", "cyclic_half_length", "stride", "random_shuffle"})
    expect_error(ErrorCode::kUnsupported, {mode, "needs the whole file"},
                 [&] { TransformStream({.shuffle = Shuffle{parse_shuffle_mode(mode)}}, 100); });
  const Transforms mask{.mask = PositionMask{0.5}};
  expect_error(ErrorCode::kInvalidArgument, {"needs the length"}, [&] { TransformStream stream(mask); });
  expect_error(ErrorCode::kEmptyFile, {"keeps none of 1 bytes"}, [&] { TransformStream(mask, 1); });
  expect_error(ErrorCode::kInvalidArgument, {"keep_frac 2"}, [] { TransformStream({.mask = PositionMask{2}}, 1); });
}

TEST(TransformStreamTest, AMaskWantsTheLengthThatWasSaid) {
  const Transforms mask{.mask = PositionMask{0.5}};
  TransformStream longer(mask, 10);
  longer.push(counting(10));
  expect_error(ErrorCode::kFileChanged, {"after the 10 bytes"}, [&] { longer.push(counting(1)); });
  TransformStream shorter(mask, 10);
  shorter.push(counting(9));
  expect_error(ErrorCode::kFileChanged, {"ends before"}, [&] { shorter.finish(); });
}

}  // namespace
}  // namespace byteformer::bytes
