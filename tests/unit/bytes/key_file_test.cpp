// Keys: drawn without bias, written for their owner alone, and read strictly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "bytes/byte_permutation.hpp"
#include "support/errors.hpp"
#include "support/files.hpp"
#include "support/plain_permissions.hpp"
#include "support/temporary_folder.hpp"

namespace byteformer::bytes {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class KeyFileTest : public testing::Test {
 protected:
  fs::path put(const std::string& content) const {
    test::write_file(folder_ / "key", content);
    return folder_ / "key";
  }

  test::TemporaryFolder folder_;
};

std::string text_of(const ByteTable& table) { return {table.begin(), table.end()}; }

TEST(RandomTableTest, RejectsDrawsThatWouldFavourSomeValues) {
  // Below 256 every draw counts, below 255 the draw 255 does not, and so on: with 255 first, then zeros, one is lost.
  std::vector<std::uint8_t> draws{0, 255};
  std::size_t num_drawn = 0;
  random_table([&] { return num_drawn < draws.size() ? draws[num_drawn++] : (++num_drawn, std::uint8_t{0}); });
  EXPECT_EQ(num_drawn, 255U + 1);
}

// Sums of squares over 256 x 256 counts: chi-square with 255^2 degrees of freedom, which a draw without rejection
// fails.
TEST(RandomTableTest, EveryValueGoesEverywhereAlike) {
  constexpr int kTables = 20'000;
  base::Random random(1);
  std::vector<std::array<int, 256>> counts(256);
  for (int i = 0; i < kTables; ++i) {
    const ByteTable table = random_table([&] { return static_cast<std::uint8_t>(random.bits()); });
    for (std::size_t v = 0; v < table.size(); ++v) ++counts[v][table[v]];
  }
  const double expected = kTables / 256.0;
  double chi_square = 0;
  for (const auto& row : counts)
    for (const int count : row) chi_square += (count - expected) * (count - expected) / expected;
  constexpr double kFreedom = 255.0 * 255.0;
  EXPECT_NEAR(chi_square, kFreedom, 5 * std::sqrt(2 * kFreedom));
}

TEST(RandomKeyTest, IsSecretAndNewEachTime) {
  const BytePermutation key = random_key();
  EXPECT_FALSE(key.seed());
  EXPECT_NE(key, random_key());
}

TEST_F(KeyFileTest, OnlyTheOwnerReadsAKey) {
  const BytePermutation key = random_key();
  write_key(folder_ / "key", key, false);
  EXPECT_EQ(fs::status(folder_ / "key").permissions(), fs::perms(0600));
  EXPECT_EQ(test::read_file(folder_ / "key"), text_of(key.table()));
  EXPECT_EQ(read_key(folder_ / "key"), key);
  EXPECT_EQ(read_key(folder_ / "key").table(), key.table());
}

TEST_F(KeyFileTest, AKeyIsReplacedOnlyWhereThatIsSaid) {
  const fs::path path = put("precious");
  expect_error(ErrorCode::kAlreadyExists, {path.native()}, [&] { write_key(path, random_key(), false); });
  EXPECT_EQ(test::read_file(path), "precious");
  const BytePermutation key = random_key();
  write_key(path, key, true);
  EXPECT_EQ(read_key(path), key);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0600));
}

TEST_F(KeyFileTest, ThePublishedPermutationIsNoSecret) {
  write_key(folder_ / "key", BytePermutation::of_seed(), false);
  EXPECT_EQ(read_key(folder_ / "key").seed(), base::kPublishedSeed);
  write_key(folder_ / "other", BytePermutation::of_seed(7), false);  // which nobody can see in the table
  EXPECT_FALSE(read_key(folder_ / "other").seed());
  EXPECT_EQ(read_key(folder_ / "other").fingerprint(), BytePermutation::of_seed(7).fingerprint());
}

TEST_F(KeyFileTest, RefusesWhatIsNoKey) {
  const std::string good = text_of(BytePermutation::of_seed(1).table());
  for (const std::string& bad : {std::string(), good.substr(1), good + "\n"}) {
    const fs::path path = put(bad);
    expect_error(ErrorCode::kInvalidFormat, {path.native(), std::to_string(bad.size()) + " bytes", "has 256"},
                 [&] { read_key(path); });
  }
  std::string twice = good;
  twice[0] = twice[1];
  expect_error(ErrorCode::kInvalidFormat, {(folder_ / "key").native(), "no permutation"},
               [&] { read_key(put(twice)); });
}

TEST_F(KeyFileTest, SaysWhyAKeyCannotBeRead) {
  expect_error(ErrorCode::kNotFound, {"missing"}, [&] { read_key(folder_ / "missing"); });
  expect_error(ErrorCode::kNotARegularFile, {folder_.path().native(), "directory"}, [&] { read_key(folder_.path()); });
  const fs::path path = put("x");
  fs::permissions(path, fs::perms::none);
  const test::PlainPermissions plain;
  expect_error(ErrorCode::kPermissionDenied, {path.native()}, [&] { read_key(path); });
}

}  // namespace
}  // namespace byteformer::bytes
