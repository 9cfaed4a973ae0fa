// A run of bytes of a file.
#pragma once

#include <cstdint>

namespace byteformer {

/// Bytes [begin, end) of a file.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const noexcept { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

}  // namespace byteformer
