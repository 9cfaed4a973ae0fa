// Finds the state dict in the pickle of a checkpoint, and makes its tensors contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interop/pickle.hpp"

namespace byteformer::interop {

/// The tensors of the state dict that `pickle` is, or holds under `state_dict`, `model_state_dict`, `model` or
/// `weights`; what else stands beside it is ignored, and so are plain values in it. `source` stands in messages.
/// \throws Error kInvalidFormat if there is none, or a tensor stands twice; kUnsupported naming the class of an
///         object that was saved instead of weights, or among them.
std::map<std::string, const pickle::TensorRef*, std::less<>> find_state_dict(const pickle::Pickle& pickle,
                                                                             const std::string& source);

/// The bytes of `tensor` if it lies in `storage` contiguously and row-major (size-1 dimensions may have any stride);
/// nothing if it does not. `where` stands in messages.
/// \throws Error kInvalidFormat if any element lies outside the storage.
std::optional<std::span<const std::byte>> contiguous_bytes(const pickle::TensorRef& tensor,
                                                           std::span<const std::byte> storage,
                                                           const std::string& where);

/// A contiguous, row-major copy. `tensor` must have passed `contiguous_bytes`.
/// \throws Error kInvalidFormat if it would take more than `max_bytes` (a stride of 0 makes much of little).
std::vector<std::byte> contiguous_copy(const pickle::TensorRef& tensor, std::span<const std::byte> storage,
                                       std::uint64_t max_bytes, const std::string& where);

}  // namespace byteformer::interop
