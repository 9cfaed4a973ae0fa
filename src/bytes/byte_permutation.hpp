// Obfuscation: byte values replaced by others, one to one.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/random.hpp"

namespace byteformer::bytes {

/// What each byte value becomes.
using ByteTable = std::array<std::uint8_t, 256>;

/// The table that leads back. `table` must be a permutation.
ByteTable inverse(const ByteTable& table) noexcept;

void substitute(const ByteTable& table, std::span<std::uint8_t> bytes) noexcept;

/// A permutation of byte values: an open one, known by its seed, or a secret key, which only its fingerprint stands for
/// outside of this object. One that is known by a fingerprint alone cannot be applied.
class BytePermutation {
 public:
  /// `randperm(256)` with this seed.
  static BytePermutation of_seed(std::uint64_t seed = base::kPublishedSeed);

  /// \throws Error kInvalidArgument if `key` is no permutation; the message does not tell its values.
  static BytePermutation of_key(const ByteTable& key);

  /// \throws Error kInvalidArgument unless it is 64 digits in lower-case hexadecimal.
  static BytePermutation of_fingerprint(std::string fingerprint);

  /// Nothing if it is secret.
  const std::optional<std::uint64_t>& seed() const noexcept { return seed_; }

  /// SHA-256 of the table's 256 bytes, in hexadecimal.
  const std::string& fingerprint() const noexcept { return fingerprint_; }

  bool has_table() const noexcept { return table_.has_value(); }

  /// \throws Error kInvalidArgument if only the fingerprint is known.
  const ByteTable& table() const;

  /// A key equals its fingerprint.
  bool operator==(const BytePermutation& other) const noexcept {
    return seed_ == other.seed_ && fingerprint_ == other.fingerprint_;
  }

 private:
  BytePermutation(std::optional<std::uint64_t> seed, std::optional<ByteTable> table, std::string fingerprint);

  std::optional<std::uint64_t> seed_;
  std::optional<ByteTable> table_;
  std::string fingerprint_;
};

// Keys: drawn from the system's randomness, kept in files that only their owner may read.

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
/// as the seed that it is, every other key is a secret. No message tells a key's values.
/// \throws Error kInvalidFormat naming `path` where it has another length or is no permutation; kNotFound,
///         kPermissionDenied, kNotARegularFile, kIo.
BytePermutation read_key(const std::filesystem::path& path);

}  // namespace byteformer::bytes
