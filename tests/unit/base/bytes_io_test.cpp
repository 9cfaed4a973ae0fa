// Tests of bytes_io.hpp: both orders, the ends of ranges, and what a cursor refuses.
#include "base/bytes_io.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "byteformer/error.hpp"

namespace byteformer::base {
namespace {

constexpr std::array<std::uint8_t, 9> kBytes{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xFE, 'x'};

std::span<const std::byte> as_bytes(std::span<const std::uint8_t> octets) { return std::as_bytes(octets); }

TEST(BytesIo, ReadsNumbersInPlace) {
  EXPECT_EQ(big_endian(kBytes, 0, 1), 0x01U);
  EXPECT_EQ(big_endian(kBytes, 1, 2), 0x0203U);
  EXPECT_EQ(big_endian(kBytes, 0, 8), 0x01020304050607FEU);
  EXPECT_EQ(little_endian(kBytes, 1, 3), 0x040302U);
  EXPECT_EQ(little_endian(as_bytes(kBytes), 0, 8), 0xFE07060504030201U);
}

TEST(BytesIo, KnowsWhereBytesEnd) {
  EXPECT_TRUE(has_bytes(kBytes, 9, 0));
  EXPECT_TRUE(has_bytes(kBytes, 1, 8));
  EXPECT_FALSE(has_bytes(kBytes, 1, 9));
  EXPECT_FALSE(has_bytes(kBytes, 10, 0));
  EXPECT_FALSE(has_bytes(kBytes, 2, UINT64_MAX));  // the sum would wrap around
  EXPECT_TRUE(has_tag(kBytes, 8, "x"));
  EXPECT_FALSE(has_tag(kBytes, 8, "xy"));
  EXPECT_FALSE(has_tag(kBytes, 7, "x"));
}

TEST(BytesIo, AppendsWhatItReads) {
  std::vector<std::uint8_t> octets;
  append_text(octets, "ab");
  append_big_endian(octets, 0x01020304, 4);
  append_little_endian(octets, 0xFFFE, 3);
  EXPECT_EQ(octets, (std::vector<std::uint8_t>{'a', 'b', 1, 2, 3, 4, 0xFE, 0xFF, 0}));
  std::string text;
  append_little_endian(text, 0x80, 2);
  EXPECT_EQ(text, std::string("\x80\0", 2));
}

TEST(ByteReader, ReadsOneNumberAfterAnother) {
  const std::string source = "file";
  ByteReader little(as_bytes(kBytes), source);
  EXPECT_EQ(little.u8(), 0x01);
  EXPECT_EQ(little.u16(), 0x0302);
  EXPECT_EQ(little.u32(), 0x07060504U);
  EXPECT_EQ(as_text(little.take(2)), "\xFEx");
  EXPECT_EQ(little.num_left(), 0U);
  ByteReader big(as_bytes(kBytes), source, std::endian::big);
  EXPECT_EQ(big.u64(), 0x01020304050607FEU);
  EXPECT_EQ(big.position(), 8U);
}

TEST(ByteReader, RefusesToPassTheEnd) {
  const std::string source = "file";
  ByteReader reader(as_bytes(kBytes), source);
  reader.take(6);
  EXPECT_THROW(reader.u32(), Error);
  EXPECT_EQ(reader.position(), 6U);
  EXPECT_THROW(reader.take(UINT64_MAX), Error);
  EXPECT_EQ(reader.take(3).size(), 3U);
}

TEST(BytesIoDeathTest, ChecksTheRangeWhereChecksAreOn) {
  if (!kDchecks) GTEST_SKIP() << "BYTEFORMER_DCHECKS is not defined";
  EXPECT_DEATH(big_endian(kBytes, 8, 2), "check failed");
  EXPECT_DEATH(little_endian(kBytes, 0, 9), "check failed: num_bytes <= 8");
}

}  // namespace
}  // namespace byteformer::base
