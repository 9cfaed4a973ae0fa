// The few places of a long file that a model reads, so that a gigabyte costs as much as a page.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace byteformer::bytes {

/// How many bytes are read from the start of a file, around its middle, and from its end. A file that is not longer
/// than these together is read whole, so that what was cut once is not cut again.
struct Pieces {
  static constexpr int kMaxBytes = 1 << 24;
  std::uint32_t start = 0, middle = 0, end = 0;

  std::uint64_t total() const noexcept { return std::uint64_t{start} + middle + end; }
  bool operator==(const Pieces&) const = default;
};

/// `size` bytes of a file from `begin`.
struct Range {
  std::uint64_t begin = 0, size = 0;
};

/// What is read of a file of `num_bytes`, in this order; they overlap where the file is hardly longer than the pieces.
std::array<Range, 3> ranges(const Pieces& pieces, std::uint64_t num_bytes) noexcept;

/// The pieces of `file`, one after another.
std::vector<std::uint8_t> cut(const Pieces& pieces, std::vector<std::uint8_t> file);

/// \throws Error kInvalidArgument
void validate(const Pieces& pieces);

}  // namespace byteformer::bytes
