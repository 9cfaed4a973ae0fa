// The seed of the published masks and permutations.
#pragma once

#include <cstdint>

namespace byteformer::bytes {

inline constexpr std::uint64_t kPublishedSeed = 2147483647;  // 2^31 - 1

}  // namespace byteformer::bytes
