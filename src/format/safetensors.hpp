// The safetensors container: a length, a JSON header, and the tensors' bytes.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "base/file_io.hpp"
#include "format/tensors.hpp"

namespace byteformer::format {

/// Maps `path` and checks it strictly: header size and JSON, no duplicate names, known dtypes, shapes whose byte counts
/// do not overflow and equal their ranges, ranges in order without gap or overlap up to the end of the file.
/// \throws Error kNotFound, kPermissionDenied, kNotARegularFile, kIo, kInvalidFormat naming the tensor and the
///         reason, or kUnsupported for an element type that we do not know.
Tensors read_safetensors(const std::filesystem::path& path);

/// The same for bytes in memory, which must outlive the result; `source` stands in messages.
Tensors parse_safetensors(std::span<const std::byte> bytes, const std::string& source);

/// Writes `tensors` atomically: widest elements first, then by name, so that every tensor is aligned to its elements;
/// `metadata` becomes `__metadata__`.
/// \throws Error kIo, kPermissionDenied, or kAlreadyExists as `options` want it.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {}, const base::WriteOptions& options = {});

}  // namespace byteformer::format
