// The Mersenne Twister and the draws of PyTorch's randperm, as its CPU generator makes them.
#include "base/randperm.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace byteformer::base {
namespace {

/// Draws the places with which the places 0, 1, ... of `n` are swapped in turn.
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

}  // namespace byteformer::base
