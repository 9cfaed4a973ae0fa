// What can flow flows: full windows of a shuffle, and all that takes bytes in order.
#include "bytes/transform_stream.hpp"

#include <algorithm>
#include <string>

#include "byteformer/error.hpp"

namespace byteformer::bytes {
namespace {

const Transforms& checked(const Transforms& transforms, bool has_length) {
  validate(transforms);
  if (transforms.pieces)
    throw Error(ErrorCode::kUnsupported, "pieces of a file cannot be cut from a stream, whose end is not known");
  if (transforms.needs_whole_file())
    throw Error(ErrorCode::kUnsupported, "the shuffle " + std::string(to_string(transforms.shuffle->mode)) +
                                             " needs the whole file, it cannot be applied to a stream");
  if (transforms.needs_length() && !has_length)
    throw Error(ErrorCode::kInvalidArgument, "a mask of positions needs the length of the file before its bytes");
  return transforms;
}

}  // namespace

TransformStream::TransformStream(const Transforms& transforms, std::optional<std::uint64_t> num_bytes)
    : in_order_(checked(transforms, num_bytes.has_value()).mask, transforms.noise, transforms.permutations,
                num_bytes.value_or(0)) {
  if (transforms.shuffle) window_order_ = window_order(transforms.shuffle->n);
  if (!transforms.is_random()) random_.emplace(0);
}

std::span<const std::uint8_t> TransformStream::push(std::span<const std::uint8_t> piece) {
  held_.insert(held_.end(), piece.begin(), piece.end());
  if (!random_ && held_.size() < kHeadBytes) return {};
  const std::size_t unit = std::max<std::size_t>(1, window_order_.size());
  return advance(held_.size() / unit * unit);
}

std::span<const std::uint8_t> TransformStream::finish() {
  const auto rest = advance(held_.size());
  if (!in_order_.is_complete())
    throw Error(ErrorCode::kFileChanged, "the file ends before the length that it was to have");
  return rest;
}

std::span<const std::uint8_t> TransformStream::advance(std::size_t num_ready) {
  if (!random_) random_ = random_of(held_);
  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(num_ready);
  out_.assign(held_.begin(), end);
  held_.erase(held_.begin(), end);
  if (!window_order_.empty()) shuffle_windows(out_, window_order_);
  in_order_.transform(out_, *random_);
  return out_;
}

}  // namespace byteformer::bytes
