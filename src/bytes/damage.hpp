// Files that were damaged on their way: flipped bits, wrong bytes, a lost end, lost blocks, bytes out of order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace byteformer::bytes {

/// What happens, and what the level says.
enum class DamageKind {
  kBitFlips,        ///< share of all bits that flip, each by itself
  kByteNoise,       ///< share of all bytes that are replaced by uniformly random ones
  kTruncate,        ///< share of the file that is lost at its end
  kDropBlocks,      ///< share of blocks that are lost, each by itself; later ones move up
  kZeroBlocks,      ///< share of blocks that become zeros, each by itself
  kShuffleWindows,  ///< bytes of a window; every window is put in a random order of its own, the last one too
};

struct Damage {
  DamageKind kind = DamageKind::kBitFlips;
  double level = 0;  ///< from 0 to 1; of kShuffleWindows a whole number up to kMaxWindow
  bool operator==(const Damage&) const = default;
};

inline constexpr std::size_t kDamageBlock = 64;  ///< bytes; the last block of a file may be shorter
inline constexpr double kMaxWindow = 1 << 24;

/// \throws Error kInvalidArgument
void validate(const Damage& damage);

/// What is left of `file`. It follows from the file's bytes, the kind and the seed: not from other files, nor from
/// where and when. What a lower level damages a higher one damages, too (but kShuffleWindows), so that curves over the
/// level are not shaken by chance twice. Something always stays: the last byte that kTruncate and one block that
/// kDropBlocks would take. \throws Error as validate(). Thread-safe.
std::vector<std::uint8_t> damaged(const Damage& damage, std::vector<std::uint8_t> file, std::uint64_t seed);

}  // namespace byteformer::bytes
