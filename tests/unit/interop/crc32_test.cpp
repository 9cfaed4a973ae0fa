// CRC-32 against published check values and the definition.
#include "interop/crc32.hpp"

#include <gtest/gtest.h>

#include "support/files.hpp"

namespace byteformer::interop {
namespace {

std::uint32_t crc_bit_by_bit(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

TEST(Crc32Test, KnowsTheCheckValue) {
  EXPECT_EQ(crc32(test::as_bytes("123456789")), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc32Test, EqualsTheDefinitionAtEveryLength) {
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(crc32(test::as_bytes(text)), crc_bit_by_bit(text)) << i;
    text += static_cast<char>(i * 37);
  }
}

}  // namespace
}  // namespace byteformer::interop
