// Finds the state dict in the pickle of a checkpoint.
#pragma once

#include <map>
#include <string>

#include "interop/pickle.hpp"

namespace byteformer::interop {

/// The tensors of the state dict that `pickle` is, or holds under `state_dict`, `model_state_dict`, `model` or
/// `weights`; what else stands beside it is ignored, and so are plain values in it. `source` stands in messages.
/// \throws Error kInvalidFormat if there is none, or a tensor stands twice; kUnsupported naming the class of an
///         object that was saved instead of weights, or among them.
std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const pickle::Pickle& pickle,
                                                                             const std::string& source);

}  // namespace byteformer::interop
