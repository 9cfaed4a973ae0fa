// Weights that move both ways: published PyTorch checkpoints (.pt) and safetensors, read and written.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "format/tensors.hpp"

namespace byteformer::interop {

/// Reads a state dict that `torch.save` wrote: a zip of stored entries and a pickle, interpreted through an allow-list
/// (nothing is ever executed). Accepts a bare state dict or one nested under `state_dict` / `model_state_dict`, strips
/// a `module.` prefix that all names share, resolves shared storages and strides.
/// \throws Error kInvalidFormat naming `path`, the entry or opcode, and the reason; kUnsupported for zip64-free limits
///         such as compressed entries; and the errors of opening a file.
format::Tensors read_pt(const std::filesystem::path& path);
format::Tensors parse_pt(std::span<const std::byte> bytes, const std::string& source);

/// Reads `path` as safetensors or .pt, decided by its content, and unwraps prefixes as read_pt does.
format::Tensors read_weights(const std::filesystem::path& path);

/// Writes a checkpoint that `torch.load` + `load_state_dict(strict=True)` accepts, atomically.
/// \throws Error kIo or kPermissionDenied.
void write_pt(const std::filesystem::path& path, const std::map<std::string, format::TensorView, std::less<>>& tensors);

}  // namespace byteformer::interop
