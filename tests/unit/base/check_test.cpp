// Tests of BF_CHECK and BF_DCHECK: what they print, and when they are evaluated.
#include "base/check.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace byteformer::base {
namespace {

constexpr std::size_t kFew = 3;

TEST(CheckDeathTest, AbortsInEveryBuild) {
  BF_CHECK(kFew == 3);
  EXPECT_DEATH(BF_CHECK(kFew == 4), "check_test.cpp:[0-9]+: check failed: kFew == 4");
}

TEST(CheckDeathTest, ChecksOfAssumptionsAbortWhereTheyAreOn) {
  if (!kDchecks) GTEST_SKIP() << "BYTEFORMER_DCHECKS is not defined";
  BF_DCHECK(kFew == 3);
  EXPECT_DEATH(BF_DCHECK(kFew == 4), "check_test.cpp:[0-9]+: check failed: kFew == 4");
}

TEST(CheckDeathTest, ComparisonsSayBothValues) {
  if (!kDchecks) GTEST_SKIP() << "BYTEFORMER_DCHECKS is not defined";
  const float array[2] = {0.5F, 2};
  BF_DCHECK_LE(kFew, 3);
  BF_DCHECK_LT(-1, kFew);  // as mathematics compares
  BF_DCHECK_EQ(&array[0], array);
  EXPECT_DEATH(BF_DCHECK_LE(kFew, 2), "check failed: kFew <= 2 \\(3 and 2\\)");
  EXPECT_DEATH(BF_DCHECK_LT(kFew, -1), "check failed: kFew < -1 \\(3 and -1\\)");
  EXPECT_DEATH(BF_DCHECK_EQ(array[0], array[1]), "check failed: array\\[0\\] == array\\[1\\] \\(0.5 and 2\\)");
  EXPECT_DEATH(BF_DCHECK_LT(&array[1], &array[0]), "check failed: &array\\[1\\] < &array\\[0\\] \\(0x");
}

TEST(Check, EvaluatesAssumptionsOnlyWhereTheyAreOn) {
  int evaluated = 0;
  BF_DCHECK(++evaluated > 0);
  BF_DCHECK_LE(++evaluated, 2);
  EXPECT_EQ(evaluated, kDchecks ? 2 : 0);
}

}  // namespace
}  // namespace byteformer::base
