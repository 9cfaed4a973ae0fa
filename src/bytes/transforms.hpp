// What becomes of a file's bytes after it was encoded, before a model reads them, of a whole file or of one that
// arrives in pieces. \see docs/model-format.md, "transforms"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "bytes/byte_permutation.hpp"

namespace byteformer::bytes {

// The few places of a long file that a model reads, so that a gigabyte costs as much as a page.

/// How many bytes are read from the start of a file, around its middle, and from its end. A file that is not longer
/// than these together is read whole, so that what was cut once is not cut again.
struct Pieces {
  static constexpr int kMaxBytes = 1 << 24;
  std::uint32_t start = 0, middle = 0, end = 0;

  std::uint64_t total() const noexcept { return std::uint64_t{start} + middle + end; }
  bool operator==(const Pieces&) const = default;
};

/// `size` bytes of a file from `begin`.
struct Range {
  std::uint64_t begin = 0, size = 0;
};

/// What is read of a file of `num_bytes`, in this order; they overlap where the file is hardly longer than the pieces.
std::array<Range, 3> ranges(const Pieces& pieces, std::uint64_t num_bytes) noexcept;

/// The pieces of `file`, one after another.
std::vector<std::uint8_t> cut(const Pieces& pieces, std::vector<std::uint8_t> file);

/// \throws Error kInvalidArgument
void validate(const Pieces& pieces);

// The order of the bytes.

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

// What takes the bytes in order, a piece at a time: a mask of positions, noise, permutations of values.

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

// All of them.

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
