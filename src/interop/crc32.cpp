// CRC-32, eight bytes a step ("slicing by 8").
#include "interop/crc32.hpp"

#include <array>

namespace byteformer::interop {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB8'8320;
constexpr std::size_t kSlices = 8;
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

/// tables[s][b]: what byte b contributes after s further bytes.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t s = 1; s < kSlices; ++s)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[s][byte] = (tables[s - 1][byte] >> 8) ^ tables[0][tables[s - 1][byte] & 0xFF];
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  std::uint32_t crc = 0xFFFF'FFFF;
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < kSlices; ++i) {
      const std::uint32_t from_crc = i < 4 ? crc >> (8 * i) : 0;
      next ^= kTables[kSlices - 1 - i][(from_crc ^ std::to_integer<std::uint32_t>(bytes[i])) & 0xFF];
    }
    crc = next;
  }
  for (const std::byte byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  return ~crc;
}

}  // namespace byteformer::interop
