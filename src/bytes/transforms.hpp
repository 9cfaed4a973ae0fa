// What becomes of a file's bytes after it was encoded, before a model reads them. \see docs/model-format.md,
// "transforms"
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "bytes/in_order.hpp"
#include "bytes/pieces.hpp"
#include "bytes/shuffle.hpp"

namespace byteformer::bytes {

/// Applied in the order of the members.
struct Transforms {
  std::optional<Pieces> pieces = {};
  std::optional<Shuffle> shuffle = {};
  std::optional<PositionMask> mask = {};
  std::optional<UniformNoise> noise = {};
  std::vector<BytePermutation> permutations = {};  ///< one after another: a key may come on top of others

  bool empty() const noexcept { return !pieces && leaves_bytes(); }

  /// Whether the bytes that are read stand there as in the file.
  bool leaves_bytes() const noexcept { return !shuffle && !mask && !noise && permutations.empty(); }

  /// Whether the first byte that comes out may be the last one that came in, so that nothing can flow.
  bool needs_whole_file() const noexcept { return pieces || (shuffle && shuffle->mode != ShuffleMode::kWindowShuffle); }

  /// Whether the length of the file decides what becomes of its first byte.
  bool needs_length() const noexcept { return needs_whole_file() || mask; }

  /// Whether something is drawn anew for every file.
  bool is_random() const noexcept { return noise || (shuffle && shuffle->mode == ShuffleMode::kRandomShuffle); }

  bool operator==(const Transforms&) const = default;
};

/// \throws Error kInvalidArgument
void validate(const Transforms& transforms);

/// Gives `transforms` the secret keys of which they know the fingerprints, so that they can be applied.
/// \throws Error kInvalidArgument naming the fingerprint of a key that is none of theirs.
void use_keys(Transforms& transforms, std::span<const BytePermutation> keys);

/// The first permutation whose key is missing; null if there is none.
const BytePermutation* find_without_key(const Transforms& transforms) noexcept;

/// How many bytes from the start of a file its own randomness depends on.
inline constexpr std::size_t kHeadBytes = 1 << 16;

/// The randomness of a file wherever a model is used or judged: it follows from the first kHeadBytes of the file as it
/// is before all transforms but for its pieces, and from nothing else. So a file gets the same noise alone and in any
/// batch, in every run and on every machine, files of different content get different noise, and a stream need not wait
/// for the end.
base::Random random_of(std::span<const std::uint8_t> file) noexcept;

/// The whole `file`, transformed with random_of() it. Thread-safe.
/// \throws Error kInvalidArgument if the transforms make no sense or a secret key is missing; as kept_positions().
std::vector<std::uint8_t> transformed(const Transforms& transforms, std::vector<std::uint8_t> file);

/// The same, but drawn from `random`: training sees every file with other noise each time.
std::vector<std::uint8_t> transformed(const Transforms& transforms, std::vector<std::uint8_t> file,
                                      base::Random& random);

/// For each byte of transformed(transforms, file) its position in `file`, as far as transforms move bytes.
/// \throws Error as transformed(); kUnsupported from 4 GiB on.
std::vector<std::uint32_t> origins(const Transforms& transforms, std::span<const std::uint8_t> file);

}  // namespace byteformer::bytes
