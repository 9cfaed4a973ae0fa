// The transforms after the shuffle, which take the bytes of a file in order, a piece at a time: a mask of positions,
// noise, permutations of values. \see docs/model-format.md, "transforms"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "base/randperm.hpp"
#include "bytes/byte_permutation.hpp"

namespace byteformer::bytes {

/// The camera that never forms an image: of every file of a length the same random positions are kept.
struct PositionMask {
  double keep_frac = 1;  ///< above 0, at most 1
  std::uint64_t seed = base::kPublishedSeed;
  bool operator==(const PositionMask&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const PositionMask& mask);

/// For each position of a file of `num_bytes` whether its byte is kept: trunc(keep_frac * num_bytes) of them are, the
/// first ones of a random order.
/// \throws Error kEmptyFile where the file is so short that no byte is kept; kUnsupported from 4 GiB on.
std::vector<bool> kept_positions(const PositionMask& mask, std::uint64_t num_bytes);

/// An integer from `low` to `high`, drawn for each byte and added modulo 256.
struct UniformNoise {
  static constexpr int kMaxWidth = 255;

  int low = 0;   ///< from -kMaxWidth, at most `high`
  int high = 0;  ///< up to kMaxWidth
  bool operator==(const UniformNoise&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const UniformNoise& noise);

/// In place; one draw per byte.
void add_noise(const UniformNoise& noise, std::span<std::uint8_t> bytes, base::Random& random);

/// What masks, adds noise to and permutes the bytes of one file.
class InOrder {
 public:
  /// \param num_bytes of the file; only a mask needs it
  /// \throws Error as kept_positions() and BytePermutation::table().
  InOrder(const std::optional<PositionMask>& mask, const std::optional<UniformNoise>& noise,
          std::span<const BytePermutation> permutations, std::uint64_t num_bytes);

  /// Transforms the next piece in place; a mask makes it shorter.
  /// \throws Error kFileChanged if there is a mask and the file goes on after `num_bytes`.
  void transform(std::vector<std::uint8_t>& piece, base::Random& random);

  /// Whether all bytes have come that the mask was made for.
  bool is_complete() const noexcept { return position_ == is_kept_.size(); }

 private:
  void drop_masked(std::vector<std::uint8_t>& piece);

  std::vector<bool> is_kept_;  ///< empty without a mask
  std::size_t position_ = 0;   ///< in it
  std::optional<UniformNoise> noise_;
  std::optional<ByteTable> table_;  ///< all permutations in one
};

}  // namespace byteformer::bytes
