// Every bit, byte or block draws its fate, and the level decides which draws are bad luck.
#include "bytes/damage.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/bytes_io.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"

namespace byteformer::bytes {
namespace {

using File = std::vector<std::uint8_t>;

base::Random random_for(const File& file, DamageKind kind, std::uint64_t seed) {
  return base::Random(seed, base::big_endian(base::sha256(file), 0, 8), static_cast<std::uint64_t>(kind));
}

void flip_bits(File& file, double rate, base::Random& random) {
  for (std::uint8_t& byte : file) {
    unsigned flips = 0;
    for (unsigned bit = 1; bit < 256; bit <<= 1) flips |= random.chance(rate) ? bit : 0;
    byte = static_cast<std::uint8_t>(byte ^ flips);
  }
}

void replace_bytes(File& file, double rate, base::Random& random) {
  for (std::uint8_t& byte : file) {
    const bool is_hit = random.chance(rate);
    const auto other = static_cast<std::uint8_t>(random.below(256));  // drawn in any case, so that levels agree
    if (is_hit) byte = other;
  }
}

void truncate(File& file, double share) {
  if (file.empty()) return;
  const auto num_lost = static_cast<std::size_t>(share * static_cast<double>(file.size()));
  file.resize(std::max<std::size_t>(1, file.size() - std::min(num_lost, file.size())));
}

/// The draw of each block; those below the level are lost.
std::vector<double> draw_blocks(const File& file, base::Random& random) {
  std::vector<double> draws((file.size() + kDamageBlock - 1) / kDamageBlock);
  for (double& draw : draws) draw = random.uniform();
  return draws;
}

std::span<std::uint8_t> block(File& file, std::size_t index) {
  const std::size_t begin = index * kDamageBlock;
  return std::span(file).subspan(begin, std::min(kDamageBlock, file.size() - begin));
}

void drop_blocks(File& file, double share, base::Random& random) {
  const std::vector<double> draws = draw_blocks(file, random);
  const auto lucky = static_cast<std::size_t>(std::ranges::max_element(draws) - draws.begin());
  File left;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const auto bytes = block(file, i);
    if (draws[i] >= share || i == lucky) left.insert(left.end(), bytes.begin(), bytes.end());
  }
  file = std::move(left);
}

void zero_blocks(File& file, double share, base::Random& random) {
  const std::vector<double> draws = draw_blocks(file, random);
  for (std::size_t i = 0; i < draws.size(); ++i)
    if (draws[i] < share) std::ranges::fill(block(file, i), std::uint8_t{0});
}

void shuffle_each_window(File& file, std::size_t size, base::Random& random) {
  for (std::span<std::uint8_t> rest = file; !rest.empty(); rest = rest.subspan(std::min(size, rest.size())))
    random.shuffle(rest.first(std::min(size, rest.size())));
}

}  // namespace

void validate(const Damage& damage) {
  const bool is_window = damage.kind == DamageKind::kShuffleWindows;
  const double low = is_window ? 1 : 0, high = is_window ? kMaxWindow : 1;
  if (!(damage.level >= low && damage.level <= high) || (is_window && damage.level != std::floor(damage.level)))
    base::fail(ErrorCode::kInvalidArgument,
               is_window ? base::joined("windows of bytes to shuffle have a whole number of bytes from 1 to ",
                                        static_cast<std::uint64_t>(kMaxWindow))
                         : "a share is a number from 0 to 1");
}

File damaged(const Damage& damage, File file, std::uint64_t seed) {
  validate(damage);
  base::Random random = random_for(file, damage.kind, seed);
  switch (damage.kind) {
    case DamageKind::kBitFlips: flip_bits(file, damage.level, random); break;
    case DamageKind::kByteNoise: replace_bytes(file, damage.level, random); break;
    case DamageKind::kTruncate: truncate(file, damage.level); break;
    case DamageKind::kDropBlocks: drop_blocks(file, damage.level, random); break;
    case DamageKind::kZeroBlocks: zero_blocks(file, damage.level, random); break;
    case DamageKind::kShuffleWindows: shuffle_each_window(file, static_cast<std::size_t>(damage.level), random); break;
  }
  return file;
}

}  // namespace byteformer::bytes
