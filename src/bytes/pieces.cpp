// Where the pieces of a file are, and a file cut to them.
#include "bytes/pieces.hpp"

#include <algorithm>

#include "byteformer/error.hpp"

namespace byteformer::bytes {

std::array<Range, 3> ranges(const Pieces& pieces, std::uint64_t num_bytes) noexcept {
  if (num_bytes <= pieces.total()) return {Range{0, num_bytes}, {}, {}};
  return {Range{0, pieces.start}, Range{(num_bytes - pieces.middle) / 2, pieces.middle},
          Range{num_bytes - pieces.end, pieces.end}};
}

std::vector<std::uint8_t> cut(const Pieces& pieces, std::vector<std::uint8_t> file) {
  if (file.size() <= pieces.total()) return file;
  std::vector<std::uint8_t> read;
  read.reserve(static_cast<std::size_t>(pieces.total()));
  for (const Range& range : ranges(pieces, file.size())) {
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(range.begin);
    read.insert(read.end(), begin, begin + static_cast<std::ptrdiff_t>(range.size));
  }
  return read;
}

void validate(const Pieces& pieces) {
  if (pieces.total() == 0 || std::max({pieces.start, pieces.middle, pieces.end}) > Pieces::kMaxBytes)
    throw Error(ErrorCode::kInvalidArgument,
                "the pieces of a file have 1 to 16777216 bytes each, or 0 where none is read");
}

}  // namespace byteformer::bytes
