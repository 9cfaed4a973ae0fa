// Files among ranks, and gradients among buckets.
#include "train/shares.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/random.hpp"

namespace byteformer::train {
namespace {

std::vector<std::int64_t> loads(std::span<const std::int64_t> costs, int num_ranks) {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(num_ranks));
  const std::vector<int> ranks = share_out(costs, num_ranks);
  for (std::size_t i = 0; i < costs.size(); ++i) sums[static_cast<std::size_t>(ranks[i])] += costs[i];
  return sums;
}

TEST(SharesTest, NoRankHasMuchMoreThanAnother) {
  base::Random random(1);
  for (const int num_ranks : {1, 2, 3, 8}) {
    std::vector<std::int64_t> costs;
    for (int i = 0; i < 64; ++i) costs.push_back(static_cast<std::int64_t>(1 + random.below(10'000)));
    const std::vector<std::int64_t> sums = loads(costs, num_ranks);
    const auto [least, most] = std::ranges::minmax(sums);
    EXPECT_LE(most - least, std::ranges::max(costs)) << num_ranks;
    EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), std::int64_t{0}),
              std::accumulate(costs.begin(), costs.end(), std::int64_t{0}));
  }
}

TEST(SharesTest, TheLargestStandsAlone) {
  EXPECT_EQ(share_out(std::vector<std::int64_t>{1, 1, 9, 1}, 2), (std::vector<int>{1, 1, 0, 1}));
}

TEST(SharesTest, FilesOfOneSizeAreCounted) {
  for (const std::int64_t cost : {0, 7}) {
    const std::vector<std::int64_t> costs(10, cost);
    std::vector<int> counts(4);
    for (const int rank : share_out(costs, 4)) ++counts[static_cast<std::size_t>(rank)];
    EXPECT_EQ(counts, (std::vector<int>{3, 3, 2, 2}));
  }
}

TEST(SharesTest, SharesAreDisjointAndComplete) {
  const std::vector<std::int64_t> costs{5, 3, 8, 1, 1, 9, 2};
  std::vector<std::size_t> all;
  for (int rank = 0; rank < 3; ++rank) {
    const std::vector<std::size_t> share = share_of(rank, costs, 3);
    EXPECT_TRUE(std::ranges::is_sorted(share));
    all.insert(all.end(), share.begin(), share.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(share_of(9, costs, 10).empty());
}

// The stem, a merge behind layer 1, three layers, the head; then the small tensors of the same.
const std::vector<GradientPiece> kPieces{{50, -1}, {10, 1}, {40, 0}, {40, 1}, {40, 2}, {20, 3},
                                         {1, -1},  {1, 1},  {1, 0},  {1, 1},  {1, 2},  {1, 3}};

TEST(SharesTest, BucketsGoFromTheLastLayerToTheFirst) {
  EXPECT_EQ(cut_buckets(kPieces, 40),
            (std::vector<GradientBucket>{
                {140, 200, 2}, {100, 140, 1}, {202, 206, 0}, {60, 100, 0}, {200, 202, -1}, {0, 60, -1}}));
}

TEST(SharesTest, BucketsHoldEveryGradientOnce) {
  for (const std::int64_t bucket_size : {1, 15, 60, 1000}) {
    std::vector<GradientBucket> buckets = cut_buckets(kPieces, bucket_size);
    EXPECT_TRUE(std::ranges::is_sorted(buckets, std::greater<>(), &GradientBucket::stage));
    std::ranges::sort(buckets, {}, &GradientBucket::begin);
    std::int64_t end = 0;
    for (const GradientBucket& bucket : buckets) {
      EXPECT_EQ(bucket.begin, end);
      end = bucket.end;
    }
    EXPECT_EQ(end, 206);
  }
}

}  // namespace
}  // namespace byteformer::train
