// Masks of positions, noise and permutations, applied piece by piece.
#include "bytes/in_order.hpp"

#include <limits>
#include <sstream>
#include <string>

#include "byteformer/error.hpp"

namespace byteformer::bytes {
namespace {

std::string in_words(const PositionMask& mask) {
  std::ostringstream text;
  text << "keep_frac " << mask.keep_frac;
  return text.str();
}

}  // namespace

void validate(const PositionMask& mask) {
  if (!(mask.keep_frac > 0 && mask.keep_frac <= 1))
    throw Error(ErrorCode::kInvalidArgument, in_words(mask) + ": expected a number above 0, at most 1");
}

std::vector<bool> kept_positions(const PositionMask& mask, std::uint64_t num_bytes) {
  if (num_bytes > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::kUnsupported, "masks of positions are for files of less than 4 GiB");
  const auto num_kept = static_cast<std::uint32_t>(mask.keep_frac * static_cast<double>(num_bytes));
  if (num_kept == 0)
    throw Error(ErrorCode::kEmptyFile, in_words(mask) + " keeps none of " + std::to_string(num_bytes) +
                                           " bytes: the file is too short for this mask");
  return base::is_among_first(static_cast<std::uint32_t>(num_bytes), num_kept, mask.seed);
}

void validate(const UniformNoise& noise) {
  if (noise.low > noise.high || noise.low < -UniformNoise::kMaxWidth || noise.high > UniformNoise::kMaxWidth)
    throw Error(ErrorCode::kInvalidArgument, "noise from " + std::to_string(noise.low) + " to " +
                                                 std::to_string(noise.high) + ": expected low <= high, both from " +
                                                 std::to_string(-UniformNoise::kMaxWidth) + " to " +
                                                 std::to_string(UniformNoise::kMaxWidth));
}

void add_noise(const UniformNoise& noise, std::span<std::uint8_t> bytes, base::Random& random) {
  const auto num_values = static_cast<std::uint64_t>(noise.high - noise.low) + 1;
  for (std::uint8_t& byte : bytes)
    byte = static_cast<std::uint8_t>(byte + noise.low + static_cast<int>(random.below(num_values)));
}

InOrder::InOrder(const std::optional<PositionMask>& mask, const std::optional<UniformNoise>& noise,
                 std::span<const BytePermutation> permutations, std::uint64_t num_bytes)
    : noise_(noise) {
  if (mask) is_kept_ = kept_positions(*mask, num_bytes);
  for (const BytePermutation& permutation : permutations) {
    if (table_)
      substitute(permutation.table(), *table_);
    else
      table_ = permutation.table();
  }
}

void InOrder::transform(std::vector<std::uint8_t>& piece, base::Random& random) {
  if (!is_kept_.empty()) drop_masked(piece);
  if (noise_) add_noise(*noise_, piece, random);
  if (table_) substitute(*table_, piece);
}

void InOrder::drop_masked(std::vector<std::uint8_t>& piece) {
  if (piece.size() > is_kept_.size() - position_)
    throw Error(ErrorCode::kFileChanged,
                "the file goes on after the " + std::to_string(is_kept_.size()) + " bytes that it was to have");
  auto end = piece.begin();
  for (const std::uint8_t byte : piece)
    if (is_kept_[position_++]) *end++ = byte;
  piece.erase(end, piece.end());
}

}  // namespace byteformer::bytes
