// Implementation of position_mask.hpp.
#include "bytes/position_mask.hpp"

#include <limits>
#include <sstream>

#include "base/randperm.hpp"
#include "byteformer/error.hpp"

namespace byteformer::bytes {
namespace {

std::string in_words(const PositionMask& mask) {
  std::ostringstream text;
  text << "keep_frac " << mask.keep_frac;
  return text.str();
}

}  // namespace

void validate(const PositionMask& mask) {
  if (!(mask.keep_frac > 0 && mask.keep_frac <= 1))
    throw Error(ErrorCode::kInvalidArgument, in_words(mask) + ": expected a number above 0, at most 1");
}

std::vector<bool> kept_positions(const PositionMask& mask, std::uint64_t num_bytes) {
  if (num_bytes > std::numeric_limits<std::uint32_t>::max())
    throw Error(ErrorCode::kUnsupported, "masks of positions are for files of less than 4 GiB");
  const auto num_kept = static_cast<std::uint32_t>(mask.keep_frac * static_cast<double>(num_bytes));
  if (num_kept == 0)
    throw Error(ErrorCode::kEmptyFile, in_words(mask) + " keeps none of " + std::to_string(num_bytes) +
                                           " bytes: the file is too short for this mask");
  return base::is_among_first(static_cast<std::uint32_t>(num_bytes), num_kept, mask.seed);
}

}  // namespace byteformer::bytes
