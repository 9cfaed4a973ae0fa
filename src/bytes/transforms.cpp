// Whole files through the shuffle and what comes after it, and where their bytes went.
#include "bytes/transforms.hpp"

#include <algorithm>
#include <limits>

#include "base/sha256.hpp"
#include "byteformer/error.hpp"

namespace byteformer::bytes {

void validate(const Transforms& transforms) {
  if (transforms.pieces) validate(*transforms.pieces);
  if (transforms.shuffle) validate(*transforms.shuffle);
  if (transforms.mask) validate(*transforms.mask);
  if (transforms.noise) validate(*transforms.noise);
}

void use_keys(Transforms& transforms, std::span<const BytePermutation> keys) {
  for (const BytePermutation& key : keys) {
    bool is_used = false;
    for (BytePermutation& permutation : transforms.permutations) {
      if (permutation.fingerprint() != key.fingerprint()) continue;
      if (!permutation.has_table()) permutation = key;
      is_used = true;
    }
    if (!is_used)
      throw Error(ErrorCode::kInvalidArgument,
                  "the key " + key.fingerprint() + " is none of those by which the bytes are permuted");
  }
}

const BytePermutation* find_without_key(const Transforms& transforms) noexcept {
  const auto found = std::ranges::find(transforms.permutations, false, &BytePermutation::has_table);
  return found == transforms.permutations.end() ? nullptr : &*found;
}

base::Random random_of(std::span<const std::uint8_t> file) noexcept {
  const base::Sha256 digest = base::sha256(file.first(std::min(file.size(), kHeadBytes)));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8 | digest[i];
  return base::Random(base::kPublishedSeed, key);
}

std::vector<std::uint8_t> transformed(const Transforms& transforms, std::vector<std::uint8_t> file) {
  if (transforms.pieces) file = cut(*transforms.pieces, std::move(file));
  base::Random random = transforms.is_random() ? random_of(file) : base::Random(0);
  return transformed(transforms, std::move(file), random);
}

std::vector<std::uint32_t> origins(const Transforms& transforms, std::span<const std::uint8_t> file) {
  if (file.size() > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::kUnsupported, "a file of 4 GiB or more is too long to follow its bytes");
  // Positions are moved as bytes are, one of their four bytes at a time: whatever moves bytes needs no second version.
  const Transforms moves{.pieces = transforms.pieces, .shuffle = transforms.shuffle, .mask = transforms.mask};
  const base::Random random =
      transforms.pieces ? random_of(cut(*transforms.pieces, {file.begin(), file.end()})) : random_of(file);
  std::vector<std::uint32_t> origins;
  std::vector<std::uint8_t> part(file.size());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    for (std::size_t i = 0; i < file.size(); ++i) part[i] = static_cast<std::uint8_t>(i >> shift);
    base::Random same = random;
    const std::vector<std::uint8_t> moved = transformed(moves, part, same);
    origins.resize(moved.size());
    for (std::size_t i = 0; i < moved.size(); ++i) origins[i] |= static_cast<std::uint32_t>(moved[i]) << shift;
  }
  return origins;
}

std::vector<std::uint8_t> transformed(const Transforms& transforms, std::vector<std::uint8_t> file,
                                      base::Random& random) {
  validate(transforms);
  if (transforms.pieces) file = cut(*transforms.pieces, std::move(file));
  if (transforms.shuffle) reorder(*transforms.shuffle, file, random);
  InOrder(transforms.mask, transforms.noise, transforms.permutations, file.size()).transform(file, random);
  return file;
}

}  // namespace byteformer::bytes
