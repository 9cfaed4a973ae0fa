// Keys of byte permutations: drawn from the system's randomness, kept in files that only their owner may read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "bytes/byte_permutation.hpp"

namespace byteformer::bytes {

/// A table of which all 256! are equally likely if `draw` gives independent uniform bytes: Fisher and Yates' shuffle,
/// where draws that would favour some values are rejected.
ByteTable random_table(const std::function<std::uint8_t()>& draw);

/// A new secret key from the system's random source.
/// \throws Error kIo
BytePermutation random_key();

/// Writes the table's 256 bytes atomically to a file that only its owner may read (mode 0600).
/// \param replaces whether a file that stands at `path` gives way
/// \throws Error kAlreadyExists, kIo, kPermissionDenied.
void write_key(const std::filesystem::path& path, const BytePermutation& key, bool replaces);

/// Reads a key of 256 bytes, from a file or a FIFO: byte v is what value v becomes. The published permutation is known
/// as the seed that it is, every other key is a secret. \throws Error kInvalidFormat naming `path` where it has another
/// length or is no permutation; kNotFound,
///         kPermissionDenied, kNotARegularFile, kIo. No message tells a key's values.
BytePermutation read_key(const std::filesystem::path& path);

}  // namespace byteformer::bytes
