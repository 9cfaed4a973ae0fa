// What the benchmarks of kernels share: random operands of BF-Ti's sizes, and rates beside the machine's peak.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "base/aligned_buffer.hpp"
#include "system/machine.hpp"

namespace byteformer::bench {

inline constexpr std::size_t kHidden = 192;
inline constexpr std::size_t kHeads = 3;
inline constexpr std::size_t kVocabulary = 257;

using Buffer = base::AlignedBuffer<float>;

inline Buffer random_buffer(std::size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  Buffer buffer(size);
  for (float& value : buffer.span()) value = normal(random);
  return buffer;
}

/// The bytes of `tokens` tokens.
inline std::vector<std::uint16_t> random_ids(std::size_t tokens, std::size_t kernel_size) {
  std::mt19937 random(2);
  std::vector<std::uint16_t> ids(tokens * kernel_size / 2 + kernel_size);
  for (auto& id : ids) id = static_cast<std::uint16_t>(random() % 256);
  return ids;
}

/// Shows the rate of `flops` float32 operations an iteration (a multiply-add is two, a division or a comparison one),
/// its share of what one thread reaches in multiply-adds with the widest vectors of this machine, and how many there are
/// to a byte of `buffers`, which an iteration reads or writes.
template <typename... Buffers>
void set_flops(benchmark::State& state, double flops, const Buffers&... buffers) {
  static const double peak = cli::measure_peak_flops(1).flops_per_second;
  const double total = flops * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(1e-9 * total, benchmark::Counter::kIsRate);
  state.counters["share_of_peak"] = benchmark::Counter(total / peak, benchmark::Counter::kIsRate);
  state.counters["flops_per_byte"] = flops / static_cast<double>((buffers.num_bytes() + ...));
}

/// The same for multiply-adds.
template <typename... Buffers>
void set_multiply_adds(benchmark::State& state, std::size_t multiply_adds, const Buffers&... buffers) {
  set_flops(state, 2.0 * static_cast<double>(multiply_adds), buffers...);
}

/// For what only moves memory.
inline void set_bytes(benchmark::State& state, std::size_t num_bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(num_bytes) * static_cast<std::int64_t>(state.iterations()));
}

}  // namespace byteformer::bench
