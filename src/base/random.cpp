// A counter-based generator, the Mersenne Twister as PyTorch's randperm draws from it, and getrandom(2).
#include "base/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <random>

#include "base/text.hpp"

namespace byteformer::base {

namespace {

constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;

/// The output function of splitmix64: a bijection that spreads every bit over all others.
std::uint64_t mixed(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t key = mixed(seed + kGoldenRatio);
  key = mixed((key ^ a) + kGoldenRatio);
  key = mixed((key ^ b) + kGoldenRatio);
  for (std::uint64_t& word : state_) word = mixed(key += kGoldenRatio);
}

std::uint64_t Random::bits() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Random::uniform(double low, double high) noexcept {
  const double value = low + (high - low) * uniform();
  return value < high ? value : low;  // rounding may reach `high`
}

std::uint64_t Random::below(std::uint64_t n) noexcept {
  const std::uint64_t first_fair = (0 - n) % n;  // 2^64 mod n: what is left out for an equal share each
  std::uint64_t value = bits();
  while (value < first_fair) value = bits();
  return value % n;
}

double Random::normal() noexcept {
  std::uint64_t sum = 0;  // of twelve uniform 32-bit numbers: variance 1 when they are taken as fractions
  for (int i = 0; i < 6; ++i) {
    const std::uint64_t pair = bits();
    sum += (pair >> 32) + (pair & 0xFFFFFFFF);
  }
  constexpr double kMeanOfDiscrete = 12 * 0.5 * (1 - 0x1p-32);
  return static_cast<double>(sum) * 0x1p-32 - kMeanOfDiscrete;
}

namespace {

/// The Mersenne Twister of PyTorch's randperm: draws the places with which the places 0, 1, ... of `n` are swapped in
/// turn.
class Swaps {
 public:
  Swaps(std::uint32_t n, std::uint64_t seed) : left_(n), engine_(static_cast<std::uint32_t>(seed)) {}

  std::uint32_t next() {
    const std::uint32_t place = place_++;
    return place + static_cast<std::uint32_t>(engine_() % left_--);
  }

 private:
  std::uint32_t place_ = 0;
  std::uint32_t left_;  // places that are not yet decided
  std::mt19937 engine_;
};

}  // namespace

std::vector<std::uint32_t> randperm(std::uint32_t n, std::uint64_t seed) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  Swaps swaps(n, seed);
  for (std::uint32_t i = 0; i + 1 < n; ++i) std::swap(order[i], order[swaps.next()]);
  return order;
}

std::vector<bool> is_among_first(std::uint32_t n, std::uint32_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> partners(count);
  Swaps swaps(n, seed);
  for (std::uint32_t& partner : partners) partner = swaps.next();
  // Followed back from the last swap to the first, the set of what ends up in front begins as the places in front.
  // Swaps after number i touch only places after i, so place i is in the set when its turn comes.
  std::vector<bool> is_first(n);
  std::fill_n(is_first.begin(), count, true);
  for (std::uint32_t i = count; i-- > 0;) {
    if (is_first[partners[i]]) continue;
    is_first[partners[i]] = true;
    is_first[i] = false;
  }
  return is_first;
}

void fill_from_system_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::kIo, "cannot draw from the system's random source: ", std::strerror(errno));
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace byteformer::base
