// The checksum of zip entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace byteformer::interop {

/// CRC-32 (IEEE 802.3, reflected) of `bytes`.
std::uint32_t crc32(std::span<const std::byte> bytes) noexcept;

}  // namespace byteformer::interop
