// Numbers and tags in the bytes of a file that may be damaged.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace byteformer::media {

/// Whether `num_bytes` bytes follow `offset`.
inline bool has_bytes(std::span<const std::uint8_t> file, std::uint64_t offset, std::uint64_t num_bytes) noexcept {
  return offset <= file.size() && num_bytes <= file.size() - offset;
}

inline bool has_tag(std::span<const std::uint8_t> file, std::uint64_t offset, std::string_view tag) noexcept {
  return has_bytes(file, offset, tag.size()) &&
         std::equal(tag.begin(), tag.end(), file.begin() + static_cast<std::ptrdiff_t>(offset),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// The caller checks the range.

inline std::uint64_t big_endian(std::span<const std::uint8_t> file, std::uint64_t offset, std::size_t num_bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < num_bytes; ++i) value = value << 8 | file[offset + i];
  return value;
}

inline std::uint64_t little_endian(std::span<const std::uint8_t> file, std::uint64_t offset, std::size_t num_bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = num_bytes; i-- > 0;) value = value << 8 | file[offset + i];
  return value;
}

}  // namespace byteformer::media
