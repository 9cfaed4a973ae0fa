// Feeds a stream to a model, piece by piece.
#include "classify/stream_classifier.hpp"

#include <vector>

#include "bytes/transform_stream.hpp"
#include "common/interrupt.hpp"

namespace byteformer::cli {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

}  // namespace

Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read) {
  bytes::TransformStream transform(transforms, num_bytes);
  Stream stream = classifier.stream();
  std::vector<std::uint8_t> buffer(kPieceBytes);
  for (std::size_t size = buffer.size(); size == buffer.size();) {
    if (interrupted()) throw Interrupted{};
    size = read(buffer);
    stream.feed(transform.push(Bytes(buffer).first(size)));
  }
  stream.feed(transform.finish());
  return stream.finish();
}

}  // namespace byteformer::cli
