// The camera that never forms an image: of every file of a length the same random positions are kept.
#pragma once

#include <cstdint>
#include <vector>

#include "bytes/published_seed.hpp"

namespace byteformer::bytes {

struct PositionMask {
  double keep_frac = 1;  ///< above 0, at most 1
  std::uint64_t seed = kPublishedSeed;
  bool operator==(const PositionMask&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const PositionMask& mask);

/// For each position of a file of `num_bytes` whether its byte is kept: trunc(keep_frac * num_bytes) of them are, the
/// first ones of a random order. \see docs/model-format.md, "transforms"
/// \throws Error kEmptyFile where the file is so short that no byte is kept; kUnsupported from 4 GiB on.
std::vector<bool> kept_positions(const PositionMask& mask, std::uint64_t num_bytes);

}  // namespace byteformer::bytes
