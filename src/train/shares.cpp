// Greedy sharing-out, and buckets from the last layer to the first.
#include "train/shares.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace byteformer::train {

std::vector<int> share_out(std::span<const std::int64_t> costs, int num_ranks) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return costs[i]; });
  struct Load {
    std::int64_t cost = 0;
    int num_items = 0, rank = 0;
    auto operator<=>(const Load&) const = default;
  };
  std::vector<Load> loads;  // a heap whose front is the least
  for (int rank = 0; rank < num_ranks; ++rank) loads.push_back({0, 0, rank});
  std::vector<int> ranks(costs.size());
  for (const std::size_t i : order) {
    std::ranges::pop_heap(loads, std::greater<>());
    Load& least = loads.back();
    ranks[i] = least.rank;
    least.cost += costs[i];
    ++least.num_items;
    std::ranges::push_heap(loads, std::greater<>());
  }
  return ranks;
}

std::vector<std::size_t> share_of(int rank, std::span<const std::int64_t> costs, int num_ranks) {
  const std::vector<int> ranks = share_out(costs, num_ranks);
  std::vector<std::size_t> items;
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (ranks[i] == rank) items.push_back(i);
  return items;
}

std::vector<GradientBucket> cut_buckets(std::span<const GradientPiece> pieces, std::int64_t bucket_size) {
  std::vector<GradientBucket> buckets;
  std::int64_t end = 0;
  for (const GradientPiece& piece : pieces) end += piece.size;
  for (std::size_t i = pieces.size(); i-- > 0;) {
    const GradientPiece& piece = pieces[i];
    const std::int64_t begin = end - piece.size;
    GradientBucket* open = buckets.empty() ? nullptr : &buckets.back();
    // From the end on stages go down; where one goes up, a part begins that need not wait for what was before.
    if (open != nullptr && open->end - open->begin < bucket_size && piece.stage <= open->stage) {
      open->begin = begin;
      open->stage = piece.stage;
    } else {
      buckets.push_back({begin, end, piece.stage});
    }
    end = begin;
  }
  std::ranges::stable_sort(buckets, std::greater<>(), &GradientBucket::stage);
  return buckets;
}

}  // namespace byteformer::train
