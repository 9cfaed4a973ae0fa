// How ranks share the work of a step: the files of a batch by their tokens, the gradients by buckets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace byteformer::train {

/// Which of `num_ranks` computes each item, so that none has much more than the others: the largest first, each to the
/// rank with the least so far. Depends on `costs` only.
/// \param costs  of each item, at least 0: its tokens, or what is known of them before it is read
/// \returns the rank of each item
std::vector<int> share_out(std::span<const std::int64_t> costs, int num_ranks);

/// The items of `rank`, in ascending order.
std::vector<std::size_t> share_of(int rank, std::span<const std::int64_t> costs, int num_ranks);

/// A tensor among the flat gradients. `stage` is the layer whose backward pass completes it: those of later layers are
/// complete earlier, the stem's (-1) last.
struct GradientPiece {
  std::int64_t size = 0;
  int stage = -1;
};

/// Gradients [begin, end) of the flat tensor, all complete when `stage` is.
struct GradientBucket {
  std::int64_t begin = 0, end = 0;
  int stage = -1;
  bool operator==(const GradientBucket&) const = default;
};

/// Cuts the flat gradients into buckets of whole pieces, of at least `bucket_size` numbers where that delays none of
/// them by an earlier layer's, in the order in which they can be summed.
/// \param pieces  of the flat tensor, in its order
std::vector<GradientBucket> cut_buckets(std::span<const GradientPiece> pieces, std::int64_t bucket_size);

}  // namespace byteformer::train
