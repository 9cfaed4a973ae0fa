// Random numbers: a reproducible generator, PyTorch's random orders, and the system's source for what is secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace byteformer::base {

/// A counter-seeded xoshiro256** generator. Streams of different keys are independent.
class Random {
 public:
  /// The stream of (`seed`, `a`, `b`), for example (seed, epoch, sample).
  explicit Random(std::uint64_t seed, std::uint64_t a = 0, std::uint64_t b = 0) noexcept;

  std::uint64_t bits() noexcept;                     ///< 64 uniform bits
  double uniform() noexcept;                         ///< in [0, 1)
  double uniform(double low, double high) noexcept;  ///< in [low, high)
  std::uint64_t below(std::uint64_t n) noexcept;     ///< in [0, n), n > 0, without bias
  double normal() noexcept;  ///< mean 0, deviation 1, within [-6, 6): a sum of uniforms, so that no libm has a say
  bool chance(double probability) noexcept { return uniform() < probability; }

  /// A uniformly random order, in place.
  template <typename T>
  void shuffle(std::span<T> items) noexcept {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_[4];
};

// The random orders of PyTorch's CPU generator, on which published masks and permutations rest.

/// The seed of the published masks and permutations: 2^31 - 1.
inline constexpr std::uint64_t kPublishedSeed = 2147483647;

/// `torch.randperm(n)` after `torch.manual_seed(seed)`, of which the low 32 bits count. \see docs/model-format.md,
/// "transforms"
std::vector<std::uint32_t> randperm(std::uint32_t n, std::uint64_t seed);

/// For each of the numbers below `n`: whether it is one of the first `count` (at most `n`) of `randperm(n, seed)`.
/// Needs `n` bits and `count` numbers of memory, not `n` numbers.
std::vector<bool> is_among_first(std::uint32_t n, std::uint32_t count, std::uint64_t seed);

/// Fills `out` with bytes of the system's random source. Thread-safe.
/// \throws Error kIo with the system's reason.
void fill_from_system_random(std::span<std::uint8_t> out);

}  // namespace byteformer::base
