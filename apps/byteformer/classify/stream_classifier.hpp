// Classifies a file that is transformed while it flows to the model, in memory that does not grow with it.
#pragma once

#include <cstdint>
#include <optional>

#include "byteformer/classifier.hpp"
#include "bytes/transforms.hpp"
#include "system/pieces.hpp"

namespace byteformer::cli {

/// The output for what `read` gives, bit for bit that of the transformed file as a whole. Uses all threads.
/// \param transforms  none of which needs the whole file
/// \param num_bytes  of the file, where it is known; only a mask of positions needs it
/// \throws Error as Stream and bytes::TransformStream, without a path, and what `read` throws; Interrupted after
/// Ctrl-C.
Output classify_stream(const Classifier& classifier, const bytes::Transforms& transforms,
                       std::optional<std::uint64_t> num_bytes, const ReadPiece& read);

}  // namespace byteformer::cli
