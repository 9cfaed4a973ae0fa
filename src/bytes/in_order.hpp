// The transforms after the shuffle, which take the bytes of a file in order, a piece at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bytes/transforms.hpp"

namespace byteformer::bytes {

class InOrder {
 public:
  /// \param num_bytes of the file; only a mask needs it
  /// \throws Error as kept_positions() and BytePermutation::table().
  InOrder(const Transforms& transforms, std::uint64_t num_bytes);

  /// Transforms the next piece in place; a mask makes it shorter.
  /// \throws Error kFileChanged if there is a mask and the file goes on after `num_bytes`.
  void transform(std::vector<std::uint8_t>& piece, base::Random& random);

  /// Whether all bytes have come that the mask was made for.
  bool is_complete() const noexcept { return position_ == is_kept_.size(); }

 private:
  void mask(std::vector<std::uint8_t>& piece);

  std::vector<bool> is_kept_;  ///< empty without a mask
  std::size_t position_ = 0;   ///< in it
  std::optional<UniformNoise> noise_;
  std::optional<ByteTable> table_;  ///< all permutations in one
};

}  // namespace byteformer::bytes
