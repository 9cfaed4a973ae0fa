// The order of a file's bytes: reversed, rotated, strided or shuffled. \see docs/model-format.md, "transforms"
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.hpp"

namespace byteformer::bytes {

enum class ShuffleMode {
  kReverse,           ///< the last byte first
  kCyclicHalfLength,  ///< out[(i + floor(L / 2)) mod L] = in[i]
  kStride,            ///< all i with i mod n = 0, then 1, ...
  kWindowShuffle,     ///< every full window of n in one fixed random order, the tail left alone
  kRandomShuffle,     ///< all bytes, in a new order for every file
};

std::string_view to_string(ShuffleMode mode) noexcept;  ///< "reverse", ..., "random_shuffle"

/// \throws Error kInvalidArgument naming those that exist.
ShuffleMode parse_shuffle_mode(std::string_view name);

constexpr bool has_size(ShuffleMode mode) noexcept {
  return mode == ShuffleMode::kStride || mode == ShuffleMode::kWindowShuffle;
}

struct Shuffle {
  static constexpr std::uint32_t kMaxSize = 1 << 24;

  ShuffleMode mode = ShuffleMode::kReverse;
  std::uint32_t n = 1024;  ///< bytes, from 1 to kMaxSize; only for modes that have a size
  bool operator==(const Shuffle&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const Shuffle& shuffle);

/// Where in a window of `n` each byte comes from. The published order is not fixed, so this one is ours.
std::vector<std::uint32_t> window_order(std::uint32_t n);

/// Puts every full window of `order.size()` bytes in this order, in place.
void shuffle_windows(std::span<std::uint8_t> bytes, std::span<const std::uint32_t> order);

/// Reorders a whole file in place. Only kRandomShuffle draws from `random`.
void reorder(const Shuffle& shuffle, std::span<std::uint8_t> file, base::Random& random);

}  // namespace byteformer::bytes
