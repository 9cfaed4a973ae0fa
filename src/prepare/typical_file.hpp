// How long files are that were prepared for a model.
#pragma once

#include <cstdint>
#include <optional>

#include "prepare/preprocess.hpp"

namespace byteformer::prepare {

/// Bytes that the model reads of a picture (of a joint model, too) or a sound: a square one, or one second, where the
/// form leaves that open. Nothing where it says too little: of files as they are, of JPEG, and of what would be huge.
std::optional<std::uint64_t> typical_prepared_bytes(const Preprocess& preprocess);

}  // namespace byteformer::prepare
