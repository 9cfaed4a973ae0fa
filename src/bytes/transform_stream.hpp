// Transforms of a file that arrives in pieces, as far as their definition lets bytes flow.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bytes/transforms.hpp"

namespace byteformer::bytes {

/// Gives the same bytes as transformed() of the whole file, whatever the pieces. It holds a piece, a window of the
/// shuffle and, for noise, kHeadBytes; a mask takes a bit for each byte of the file and, while it is made, four bytes
/// for each that is kept. A stream belongs to one thread at a time.
class TransformStream {
 public:
  /// \param num_bytes of the file, where it is known
  /// \throws Error kUnsupported if transforms.needs_whole_file(); kInvalidArgument if they need the length and it is
  ///         not given; as transformed().
  explicit TransformStream(const Transforms& transforms, std::optional<std::uint64_t> num_bytes = std::nullopt);

  /// What can go on after the next piece; valid until the next call.
  /// \throws Error kFileChanged if there is a mask and the file is longer than was said.
  std::span<const std::uint8_t> push(std::span<const std::uint8_t> piece);

  /// The rest, once, after the last piece.
  /// \throws Error kFileChanged if there is a mask and the file is shorter than was said.
  std::span<const std::uint8_t> finish();

 private:
  std::span<const std::uint8_t> advance(std::size_t num_ready);

  std::vector<std::uint32_t> window_order_;  ///< empty without a shuffle
  InOrder in_order_;
  std::optional<base::Random> random_;  ///< nothing until enough of the file is here to say
  std::vector<std::uint8_t> held_;      ///< bytes that came and could not go on
  std::vector<std::uint8_t> out_;
};

}  // namespace byteformer::bytes
