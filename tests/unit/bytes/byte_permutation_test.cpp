// Permutations of byte values: open, secret, and known by a fingerprint alone.
#include "bytes/byte_permutation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "base/random.hpp"
#include "bytes/files.hpp"
#include "support/errors.hpp"

namespace byteformer::bytes {
namespace {

using test::expect_error;

ByteTable some_key(std::uint64_t seed) {
  ByteTable key;
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  base::Random(seed).shuffle(std::span(key.data(), key.size()));
  return key;
}

TEST(BytePermutationTest, TheSeedsAreOpen) {
  const auto published = BytePermutation::of_seed();
  EXPECT_EQ(published.seed(), 2147483647U);
  EXPECT_EQ(published.table()[0], 239);  // randperm(256), of rng.json
  EXPECT_EQ(published.table()[1], 90);
  EXPECT_EQ(published, BytePermutation::of_seed(2147483647));
  EXPECT_NE(published, BytePermutation::of_seed(0));
}

RC_GTEST_PROP(BytePermutationProperty, TheInverseLeadsBack, (std::uint64_t seed, File file)) {
  const auto permutation = BytePermutation::of_key(some_key(seed));
  File there_and_back = file;
  substitute(permutation.table(), there_and_back);
  substitute(inverse(permutation.table()), there_and_back);
  RC_ASSERT(there_and_back == file);
}

// printf of the bytes 0 ... 255 | sha256sum
TEST(BytePermutationTest, AKeyIsKnownByItsFingerprint) {
  ByteTable identity;
  std::iota(identity.begin(), identity.end(), std::uint8_t{0});
  const auto secret = BytePermutation::of_key(identity);
  EXPECT_EQ(secret.fingerprint(), "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880");
  EXPECT_FALSE(secret.seed());
  const auto unknown = BytePermutation::of_fingerprint(secret.fingerprint());
  EXPECT_EQ(unknown, secret);
  EXPECT_TRUE(secret.has_table());
  EXPECT_FALSE(unknown.has_table());
  expect_error(ErrorCode::kInvalidArgument, {"40aff2e9d2d8922e", "not given"}, [&] { unknown.table(); });
  // The same table by its seed is another matter: everyone knows it.
  const auto open = BytePermutation::of_seed(3);
  EXPECT_EQ(BytePermutation::of_key(open.table()).fingerprint(), open.fingerprint());
  EXPECT_NE(BytePermutation::of_key(open.table()), open);
}

TEST(BytePermutationTest, RefusesWhatIsNoPermutation) {
  ByteTable key = some_key(1);
  key[7] = key[9];
  expect_error(ErrorCode::kInvalidArgument, {"no permutation", "255 different"}, [&] { BytePermutation::of_key(key); });
  expect_error(ErrorCode::kInvalidArgument, {"1 different"}, [] { BytePermutation::of_key(ByteTable{}); });
}

TEST(BytePermutationTest, RefusesWhatIsNoFingerprint) {
  const std::string good(64, 'a');
  EXPECT_EQ(BytePermutation::of_fingerprint(good).fingerprint(), good);
  for (const std::string& bad :
       {std::string(), std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'), std::string(64, 'g')})
    expect_error(ErrorCode::kInvalidArgument, {"64 digits"}, [&] { BytePermutation::of_fingerprint(bad); });
}

}  // namespace
}  // namespace byteformer::bytes
