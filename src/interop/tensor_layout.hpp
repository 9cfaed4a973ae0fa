// Strided views of storages, as PyTorch describes tensors, made contiguous.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interop/pickle.hpp"

namespace byteformer::interop {

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
