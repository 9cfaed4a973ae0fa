// Weights that move both ways: published PyTorch checkpoints (.pt) and safetensors, read and written.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/file_io.hpp"
#include "format/tensors.hpp"

namespace byteformer::interop {

/// Reads `path` as safetensors or .pt, decided by its content, or the shards that a `*.safetensors.index.json` lists.
/// A .pt is a state dict that `torch.save` wrote: a zip of stored entries and a pickle, interpreted through an
/// allow-list (nothing is ever executed). Accepts a bare state dict or one nested under a usual name, resolves shared
/// storages and strides; objects beside the weights are ignored. Wrappers' prefixes are taken off.
/// \throws Error kInvalidFormat naming `path`, the entry or opcode, and the reason; kUnsupported for a forbidden
///         opcode or global and for compressed or encrypted entries; and the errors of opening a file.
format::Tensors read_weights(const std::filesystem::path& path);

/// The same for the bytes of a .pt in memory, which must outlive the result; `source` stands in messages. `storage` of
/// the result holds the copies that tensors with unusual strides needed, null if there were none.
format::Tensors parse_pt(std::span<const std::byte> bytes, const std::string& source);

/// Takes off what wrappers put before all names of a model (`module.`, `_orig_mod.`, `model.`, ...), and drops what
/// stands beside it or was counted in it (`n_averaged`, `total_ops`).
/// \throws Error kInvalidFormat where there are the weights of two models.
void strip_wrappers(format::Tensors& tensors);

/// Writes a checkpoint that `torch.load` + `load_state_dict(strict=True)` accepts, atomically.
/// \throws Error kIo, kPermissionDenied, or kUnsupported above 4 GiB.
void write_pt(const std::filesystem::path& path, const format::NamedTensors& tensors,
              const base::WriteOptions& options = {});

}  // namespace byteformer::interop
