// What the shapes of a ByteFormer's tensors say about its configuration.
#pragma once

#include <string>

#include "format/config.hpp"
#include "format/tensors.hpp"

namespace byteformer::interop {

/// Fills what `said` leaves open from the shapes of `tensors`; `config_source` stands in messages.
/// \throws Error kInvalidModel naming both sides where they contradict each other, and where a tensor that tells a size
///         is missing or has another number of dimensions.
format::PartialConfig infer_from_shapes(const format::PartialConfig& said, const format::Tensors& tensors,
                                        const std::string& config_source);

}  // namespace byteformer::interop
