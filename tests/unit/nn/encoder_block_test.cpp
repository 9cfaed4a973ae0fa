// A layer's rows are the same bits whatever the threads and the tasks that they cut it into.
#include "nn/encoder_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace byteformer::nn {
namespace {

constexpr std::size_t kChannels = 16;
constexpr std::size_t kIntermediate = 32;
constexpr std::size_t kHeads = 2;

/// The views' numbers, which the layer copies.
class RandomBlock {
 public:
  EncoderBlock make() {
    const LinearKernels kernels = kernels::default_kernels();
    const AttentionView attention{
        .norm = norm(), .qkv = linear(3 * kChannels, kChannels), .out = linear(kChannels, kChannels)};
    const FeedForwardView feed_forward{
        .norm = norm(), .up = linear(kIntermediate, kChannels), .down = linear(kChannels, kIntermediate)};
    return {WindowAttention(kernels, attention, kChannels, kHeads, 1e-5f),
            FeedForward(kernels, feed_forward, kChannels, kIntermediate, 1e-5f)};
  }

 private:
  std::span<const float> numbers(std::size_t count) {
    std::uniform_real_distribution<float> uniform(-0.5f, 0.5f);
    std::vector<float>& made = storage_.emplace_back(count);
    std::generate(made.begin(), made.end(), [&] { return uniform(random_); });
    return made;
  }
  LayerNormView norm() { return {.weight = numbers(kChannels), .bias = numbers(kChannels)}; }
  LinearView linear(std::size_t out, std::size_t in) { return {.weight = numbers(out * in), .bias = numbers(out)}; }

  std::mt19937 random_{7};
  std::vector<std::vector<float>> storage_;
};

/// Rows that the layer visits from the last to the first, cut into windows.
std::vector<float> run_block(const EncoderBlock& block, std::size_t num_rows, std::size_t window, int num_threads) {
  const std::size_t row_size = kernels::padded(kChannels);
  base::AlignedBuffer<float> rows(num_rows * row_size);
  for (std::size_t i = 0; i < num_rows; ++i)
    for (std::size_t c = 0; c < kChannels; ++c)
      rows[i * row_size + c] = static_cast<float>((i * 31 + c * 7) % 23) / 23.0f;
  std::vector<std::int32_t> order(num_rows);
  std::iota(order.rbegin(), order.rend(), 0);
  std::vector<Window> windows;
  for (std::size_t begin = 0; begin < num_rows; begin += window)
    windows.push_back({.begin = begin, .num_rows = std::min(window, num_rows - begin), .num_filler = 0});
  base::ThreadPool pool(num_threads);
  Workers workers(pool);
  block.run(rows.data(), order, windows, workers);
  return {rows.span().begin(), rows.span().end()};
}

TEST(EncoderBlockTest, ThreadsChangeNothing) {
  const EncoderBlock block = RandomBlock().make();
  for (const std::size_t window : {1, 5, 100, 300}) {
    for (const std::size_t num_rows : {1, 15, 16, 17, 64, 129, 700}) {
      const std::vector<float> expected = run_block(block, num_rows, window, 1);
      for (const int num_threads : {2, 3, 5})
        ASSERT_EQ(run_block(block, num_rows, window, num_threads), expected)
            << num_rows << " rows in windows of " << window << ", " << num_threads << " threads";
    }
  }
}

}  // namespace
}  // namespace byteformer::nn
