// The random orders of PyTorch's CPU generator, on which published masks and permutations rest.
#pragma once

#include <cstdint>
#include <vector>

namespace byteformer::base {

/// The seed of the published masks and permutations: 2^31 - 1.
inline constexpr std::uint64_t kPublishedSeed = 2147483647;

/// `torch.randperm(n)` after `torch.manual_seed(seed)`, of which the low 32 bits count. \see docs/model-format.md,
/// "transforms"
std::vector<std::uint32_t> randperm(std::uint32_t n, std::uint64_t seed);

/// For each of the numbers below `n`: whether it is one of the first `count` (at most `n`) of `randperm(n, seed)`.
/// Needs `n` bits and `count` numbers of memory, not `n` numbers.
std::vector<bool> is_among_first(std::uint32_t n, std::uint32_t count, std::uint64_t seed);

}  // namespace byteformer::base
