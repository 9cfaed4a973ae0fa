// Which files of a call single threads take, and which all of them compute together.
#include "api/batch.hpp"

#include <gtest/gtest.h>

namespace byteformer::api {
namespace {

using Files = std::vector<std::size_t>;

constexpr std::uint64_t kLarge = 4 * model::ByteFormer::kRoundTokens + 1;

Shares shares(const std::vector<std::uint64_t>& num_tokens, int num_threads, bool many_callers = false) {
  return share_out(num_tokens, num_threads, many_callers);
}

TEST(BatchTest, OneThreadComputesAllFilesInOneFlow) {
  EXPECT_EQ(shares({10, kLarge, 0}, 1).alone, Files());
  EXPECT_EQ(shares({10, kLarge, 0}, 1).together, (Files{0, 1, 2}));
}

TEST(BatchTest, AFileByItselfGetsAllThreads) {
  EXPECT_EQ(shares({10}, 2).together, Files{0});
  EXPECT_EQ(shares({kLarge}, 2).together, Files{0});
}

TEST(BatchTest, SmallFilesAreForSingleThreads) {
  EXPECT_EQ(shares({10, 0, kLarge - 1, 1}, 4).alone, (Files{0, 1, 2, 3}));
  EXPECT_EQ(shares({10, 0, kLarge - 1, 1}, 4).together, Files());
}

TEST(BatchTest, FewerSmallFilesThanThreadsAreForAll) {
  EXPECT_EQ(shares({10, 10, kLarge, kLarge}, 3).alone, Files());
  EXPECT_EQ(shares({10, 10, kLarge, kLarge}, 3).together, (Files{0, 1, 2, 3}));
}

TEST(BatchTest, LargeFilesAreForAll) {
  EXPECT_EQ(shares({kLarge, 10, 20, kLarge, 30}, 2).alone, (Files{1, 2, 4}));
  EXPECT_EQ(shares({kLarge, 10, 20, kLarge, 30}, 2).together, (Files{0, 3}));
}

TEST(BatchTest, ManyCallersComputeFilesOfOneRoundThemselves) {
  constexpr std::uint64_t kRound = model::ByteFormer::kRoundTokens;
  EXPECT_EQ(shares({kRound}, 4, true).alone, Files{0});
  EXPECT_EQ(shares({10, kRound + 1, 10}, 4, true).alone, (Files{0, 2}));
  EXPECT_EQ(shares({10, kRound + 1, 10}, 4, true).together, Files{1});
}

TEST(BatchTest, NoFilesAtAll) {
  EXPECT_EQ(shares({}, 2).alone, Files());
  EXPECT_EQ(shares({}, 2).together, Files());
}

}  // namespace
}  // namespace byteformer::api
