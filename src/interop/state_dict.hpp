// Finds the state dict in the pickle of a checkpoint.
#pragma once

#include <map>
#include <string>

#include "interop/pickle.hpp"

namespace byteformer::interop {

/// The tensors of the state dict that `pickle` is, or holds under `state_dict` or `model_state_dict`; what else stands
/// beside it is ignored. `source` stands in messages.
/// \throws Error kInvalidFormat if there is none, or an entry is no tensor or stands twice.
std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const pickle::Pickle& pickle,
                                                                             const std::string& source);

}  // namespace byteformer::interop
