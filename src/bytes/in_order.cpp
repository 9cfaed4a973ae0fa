// Implementation of in_order.hpp.
#include "bytes/in_order.hpp"

#include <string>

#include "byteformer/error.hpp"

namespace byteformer::bytes {

InOrder::InOrder(const Transforms& transforms, std::uint64_t num_bytes) : noise_(transforms.noise) {
  if (transforms.mask) is_kept_ = kept_positions(*transforms.mask, num_bytes);
  for (const BytePermutation& permutation : transforms.permutations) {
    if (table_)
      substitute(permutation.table(), *table_);
    else
      table_ = permutation.table();
  }
}

void InOrder::transform(std::vector<std::uint8_t>& piece, base::Random& random) {
  if (!is_kept_.empty()) mask(piece);
  if (noise_) add_noise(*noise_, piece, random);
  if (table_) substitute(*table_, piece);
}

void InOrder::mask(std::vector<std::uint8_t>& piece) {
  if (piece.size() > is_kept_.size() - position_)
    throw Error(ErrorCode::kFileChanged,
                "the file goes on after the " + std::to_string(is_kept_.size()) + " bytes that it was to have");
  auto end = piece.begin();
  for (const std::uint8_t byte : piece)
    if (is_kept_[position_++]) *end++ = byte;
  piece.erase(end, piece.end());
}

}  // namespace byteformer::bytes
