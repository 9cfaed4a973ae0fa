// Pieces, orders, masks, noise and permutations: of whole files, and as far as their definition lets bytes flow.
#include "bytes/transforms.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>

#include "base/bytes_io.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"

namespace byteformer::bytes {

using base::fail;

// Pieces.

std::array<Range, 3> ranges(const Pieces& pieces, std::uint64_t num_bytes) noexcept {
  if (num_bytes <= pieces.total()) return {Range{0, num_bytes}, {}, {}};
  return {Range{0, pieces.start}, Range{(num_bytes - pieces.middle) / 2, pieces.middle},
          Range{num_bytes - pieces.end, pieces.end}};
}

std::vector<std::uint8_t> cut(const Pieces& pieces, std::vector<std::uint8_t> file) {
  if (file.size() <= pieces.total()) return file;
  std::vector<std::uint8_t> read;
  read.reserve(static_cast<std::size_t>(pieces.total()));
  for (const Range& range : ranges(pieces, file.size())) {
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(range.begin);
    read.insert(read.end(), begin, begin + static_cast<std::ptrdiff_t>(range.size));
  }
  return read;
}

void validate(const Pieces& pieces) {
  if (pieces.total() == 0 || std::max({pieces.start, pieces.middle, pieces.end}) > Pieces::kMaxBytes)
    fail(ErrorCode::kInvalidArgument, "the pieces of a file have 1 to 16777216 bytes each, or 0 where none is read");
}

// Orders.

namespace {

constexpr std::array<std::string_view, 5> kModes = {"reverse", "cyclic_half_length", "stride", "window_shuffle",
                                                    "random_shuffle"};

void take_strides(std::span<std::uint8_t> file, std::size_t n) {
  const std::vector<std::uint8_t> in(file.begin(), file.end());
  auto out = file.begin();
  for (std::size_t first = 0; first < std::min(n, in.size()); ++first)
    for (std::size_t i = first; i < in.size(); i += n) *out++ = in[i];
}

}  // namespace

std::string_view to_string(ShuffleMode mode) noexcept { return kModes[static_cast<std::size_t>(mode)]; }

ShuffleMode parse_shuffle_mode(std::string_view name) {
  const auto known = std::ranges::find(kModes, name);
  if (known != kModes.end()) return static_cast<ShuffleMode>(known - kModes.begin());
  const std::vector<std::string> names(kModes.begin(), kModes.end());
  fail(ErrorCode::kInvalidArgument, "this shuffle is not known, expected one of: ", base::list(names, ", "));
}

void validate(const Shuffle& shuffle) {
  if (has_size(shuffle.mode) && (shuffle.n < 1 || shuffle.n > Shuffle::kMaxSize))
    fail(ErrorCode::kInvalidArgument, "n of ", to_string(shuffle.mode), " is ", shuffle.n, ", expected 1 to ",
         Shuffle::kMaxSize);
}

std::vector<std::uint32_t> window_order(std::uint32_t n) { return base::randperm(n, base::kPublishedSeed); }

void shuffle_windows(std::span<std::uint8_t> bytes, std::span<const std::uint32_t> order) {
  std::vector<std::uint8_t> in(order.size());
  for (; bytes.size() >= order.size(); bytes = bytes.subspan(order.size())) {
    std::copy_n(bytes.begin(), order.size(), in.begin());
    for (std::size_t i = 0; i < order.size(); ++i) bytes[i] = in[order[i]];
  }
}

void reorder(const Shuffle& shuffle, std::span<std::uint8_t> file, base::Random& random) {
  switch (shuffle.mode) {
    case ShuffleMode::kReverse: std::ranges::reverse(file); break;
    case ShuffleMode::kCyclicHalfLength:
      std::rotate(file.begin(), file.end() - static_cast<std::ptrdiff_t>(file.size() / 2), file.end());
      break;
    case ShuffleMode::kStride: take_strides(file, shuffle.n); break;
    case ShuffleMode::kWindowShuffle:
      if (file.size() >= shuffle.n) shuffle_windows(file, window_order(shuffle.n));
      break;
    case ShuffleMode::kRandomShuffle: random.shuffle(file); break;
  }
}

// Masks, noise and permutations.

namespace {

std::string in_words(const PositionMask& mask) {
  std::ostringstream text;
  text << "keep_frac " << mask.keep_frac;
  return text.str();
}

}  // namespace

void validate(const PositionMask& mask) {
  if (!(mask.keep_frac > 0 && mask.keep_frac <= 1))
    fail(ErrorCode::kInvalidArgument, in_words(mask), ": expected a number above 0, at most 1");
}

std::vector<bool> kept_positions(const PositionMask& mask, std::uint64_t num_bytes) {
  if (num_bytes > std::numeric_limits<std::uint32_t>::max())
    fail(ErrorCode::kUnsupported, "masks of positions are for files of less than 4 GiB");
  const auto num_kept = static_cast<std::uint32_t>(mask.keep_frac * static_cast<double>(num_bytes));
  if (num_kept == 0)
    fail(ErrorCode::kEmptyFile, in_words(mask), " keeps none of ", num_bytes,
         " bytes: the file is too short for this mask");
  return base::is_among_first(static_cast<std::uint32_t>(num_bytes), num_kept, mask.seed);
}

void validate(const UniformNoise& noise) {
  if (noise.low > noise.high || noise.low < -UniformNoise::kMaxWidth || noise.high > UniformNoise::kMaxWidth)
    fail(ErrorCode::kInvalidArgument, "noise from ", noise.low, " to ", noise.high,
         ": expected low <= high, both from ", -UniformNoise::kMaxWidth, " to ", UniformNoise::kMaxWidth);
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
    fail(ErrorCode::kFileChanged, "the file goes on after the ", is_kept_.size(), " bytes that it was to have");
  auto end = piece.begin();
  for (const std::uint8_t byte : piece)
    if (is_kept_[position_++]) *end++ = byte;
  piece.erase(end, piece.end());
}

// All of them.

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
      fail(ErrorCode::kInvalidArgument, "the key ", key.fingerprint(),
           " is none of those by which the bytes are permuted");
  }
}

const BytePermutation* find_without_key(const Transforms& transforms) noexcept {
  const auto found = std::ranges::find(transforms.permutations, false, &BytePermutation::has_table);
  return found == transforms.permutations.end() ? nullptr : &*found;
}

base::Random random_of(std::span<const std::uint8_t> file) noexcept {
  const base::Sha256 digest = base::sha256(file.first(std::min(file.size(), kHeadBytes)));
  return base::Random(base::kPublishedSeed, base::big_endian(digest, 0, 8));
}

std::vector<std::uint8_t> transformed(const Transforms& transforms, std::vector<std::uint8_t> file) {
  if (transforms.pieces) file = cut(*transforms.pieces, std::move(file));
  base::Random random = transforms.is_random() ? random_of(file) : base::Random(0);
  return transformed(transforms, std::move(file), random);
}

std::vector<std::uint32_t> origins(const Transforms& transforms, std::span<const std::uint8_t> file) {
  if (file.size() > std::numeric_limits<std::uint32_t>::max())
    fail(ErrorCode::kUnsupported, "a file of 4 GiB or more is too long to follow its bytes");
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

// Files that flow: full windows of a shuffle, and all that takes bytes in order.

namespace {

const Transforms& checked(const Transforms& transforms, bool has_length) {
  validate(transforms);
  if (transforms.pieces)
    fail(ErrorCode::kUnsupported, "pieces of a file cannot be cut from a stream, whose end is not known");
  if (transforms.needs_whole_file())
    fail(ErrorCode::kUnsupported, "the shuffle ", to_string(transforms.shuffle->mode),
         " needs the whole file, it cannot be applied to a stream");
  if (transforms.needs_length() && !has_length)
    fail(ErrorCode::kInvalidArgument, "a mask of positions needs the length of the file before its bytes");
  return transforms;
}

}  // namespace

TransformStream::TransformStream(const Transforms& transforms, std::optional<std::uint64_t> num_bytes)
    : in_order_(checked(transforms, num_bytes.has_value()).mask, transforms.noise, transforms.permutations,
                num_bytes.value_or(0)) {
  if (transforms.shuffle) window_order_ = window_order(transforms.shuffle->n);
  if (!transforms.is_random()) random_.emplace(0);
}

std::span<const std::uint8_t> TransformStream::push(std::span<const std::uint8_t> piece) {
  held_.insert(held_.end(), piece.begin(), piece.end());
  if (!random_ && held_.size() < kHeadBytes) return {};
  const std::size_t unit = std::max<std::size_t>(1, window_order_.size());
  return advance(held_.size() / unit * unit);
}

std::span<const std::uint8_t> TransformStream::finish() {
  const auto rest = advance(held_.size());
  if (!in_order_.is_complete()) fail(ErrorCode::kFileChanged, "the file ends before the length that it was to have");
  return rest;
}

std::span<const std::uint8_t> TransformStream::advance(std::size_t num_ready) {
  if (!random_) random_ = random_of(held_);
  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(num_ready);
  out_.assign(held_.begin(), end);
  held_.erase(held_.begin(), end);
  if (!window_order_.empty()) shuffle_windows(out_, window_order_);
  in_order_.transform(out_, *random_);
  return out_;
}

}  // namespace byteformer::bytes
