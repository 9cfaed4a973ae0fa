// Ticks are round and between the bounds; positions run from 0 to 1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "chart/charts.hpp"

namespace byteformer::chart {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(ScaleTest, LinearPositions) {
  const Scale scale(10, 20, false);
  EXPECT_EQ(scale.position(10), 0);
  EXPECT_EQ(scale.position(12.5), 0.25);
  EXPECT_EQ(scale.position(20), 1);
}

TEST(ScaleTest, LogarithmicPositions) {
  const Scale scale(0.001, 0.1, true);
  EXPECT_NEAR(scale.position(0.001), 0, 1e-12);
  EXPECT_NEAR(scale.position(0.01), 0.5, 1e-12);
  EXPECT_NEAR(scale.position(0.1), 1, 1e-12);
}

TEST(ScaleTest, LinearTicksAreRound) {
  EXPECT_THAT(Scale(0, 100, false).ticks(), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(Scale(0.05, 0.21, false).ticks(), ElementsAre(DoubleNear(0.05, 1e-12), DoubleNear(0.1, 1e-12),
                                                            DoubleNear(0.15, 1e-12), DoubleNear(0.2, 1e-12)));
}

TEST(ScaleTest, ZeroHasNoSign) { EXPECT_FALSE(std::signbit(Scale(0, 100, false).ticks().front())); }

TEST(ScaleTest, RoundingMovesBoundsOutToTicks) {
  const Scale scale = Scale(3, 97, false).rounded();
  EXPECT_EQ(scale.low(), 0);
  EXPECT_EQ(scale.high(), 100);
  EXPECT_EQ(Scale(0, 0.3, false).rounded().high(), 0.30000000000000004) << "a round bound stays";
}

TEST(ScaleTest, LogarithmicTicksAreDecadesOrFinerWhereThereAreFew) {
  EXPECT_THAT(Scale(1e-5, 0.1, true).ticks(),
              ElementsAre(DoubleNear(1e-5, 1e-15), DoubleNear(1e-4, 1e-14), DoubleNear(1e-3, 1e-13),
                          DoubleNear(1e-2, 1e-12), DoubleNear(0.1, 1e-12)));
  EXPECT_THAT(Scale(8, 32, true).ticks(), ElementsAre(10, 20));
}

TEST(ScaleTest, OneValueStillHasAnAxis) {
  for (const double value : {0.0, 5.0, -5.0, 1e-30, 1e30}) {
    const Scale scale(value, value, false);
    EXPECT_GT(scale.high(), scale.low()) << value;
    EXPECT_THAT(scale.ticks(), Not(IsEmpty())) << value;
    EXPECT_LT(scale.ticks().size(), 12U) << value;
  }
  EXPECT_THAT(Scale(10, 10, true).ticks(), ElementsAre(10, 20));
}

}  // namespace
}  // namespace byteformer::chart
