// SHA-256: the standard's own examples, and every length around a block.
#include "base/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/text.hpp"
#include "support/files.hpp"

namespace byteformer::base {
namespace {

std::string digest(std::string_view text) { return hex(sha256(test::as_octets(text))); }

TEST(Sha256Test, KnowsTheExamplesOfTheStandard) {
  EXPECT_EQ(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The digest of the digests of n bytes 'a' for n below 200, computed by Python's hashlib.
TEST(Sha256Test, PadsEveryLength) {
  std::string all;
  for (std::size_t n = 0; n < 200; ++n) all += digest(std::string(n, 'a'));
  EXPECT_EQ(digest(all), "019f2b9f1af27a53a1f046da7e98af2c179f431e4b5bebb000e74040917a4123");
}

TEST(Sha256Test, HexHasTwoDigitsAByte) {
  const std::uint8_t bytes[] = {0, 9, 0x10, 0xAF, 0xFF};
  EXPECT_EQ(hex(bytes), "000910afff");
  EXPECT_EQ(hex({}), "");
}

}  // namespace
}  // namespace byteformer::base
