#include "collocation/time_bins.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace boltzcurve {
namespace {

// 3 - 2 s at the middles of bins.
TEST(TimeBins, HaveALevelThatIsLinearBetweenTheirMiddlesAndItsIntegral) {
  TimeBins bins;
  for (std::size_t b = 0; b < bins.level.size(); ++b) bins.level[b] = 3 - 2 * (static_cast<double>(b) + 0.5) / TimeBins::count;
  const double half = 0.5 / TimeBins::count;
  for (const double s : {half, 0.1, 0.37, 0.5, 0.99 - half}) EXPECT_NEAR(bins.level_at(s), 3 - 2 * s, 1e-14) << s;
  EXPECT_EQ(bins.level_at(0), bins.level.front());
  EXPECT_EQ(bins.level_at(1), bins.level.back());
  EXPECT_NEAR(bins.integral_of_level(), 2, 1e-14);
}

// Half uniform, half in proportion to size: with size b, bin b has the share 1/64 + b/(31 32).
TEST(TimeBins, DrawTimesHalfUniformlyAndHalfInProportionToTheResidual) {
  TimeBins bins;
  std::iota(bins.size.begin(), bins.size.end(), 0.0);
  double before = 0;
  for (int b = 0; b < TimeBins::count; ++b) {
    const double share = 0.5 / TimeBins::count + 0.5 * b / (TimeBins::count * (TimeBins::count - 1) / 2.0);
    EXPECT_NEAR(bins.clock_of_share(before + share / 4), (b + 0.25) / TimeBins::count, 1e-12);
    before += share;
  }
  EXPECT_NEAR(before, 1, 1e-12);
  EXPECT_EQ(bins.clock_of_share(0), 0);
  EXPECT_NEAR(bins.clock_of_share(1), 1, 1e-12);
  EXPECT_LE(bins.clock_of_share(1), 1);
  EXPECT_EQ(TimeBins().clock_of_share(0.3), 0.3) << "nothing is known before the first step";
}

TEST(TimeBins, CoverTheClockWithItsEnds) {
  EXPECT_EQ(TimeBins::bin_of(0), 0u);
  EXPECT_EQ(TimeBins::bin_of(0.999 / TimeBins::count), 0u);
  EXPECT_EQ(TimeBins::bin_of(1.001 / TimeBins::count), 1u);
  EXPECT_EQ(TimeBins::bin_of(1), TimeBins::count - 1u);
  EXPECT_EQ(TimeBins::bin_of(-1e-9), 0u) << "of rounding";
}

TEST(TimeBinSums, MoveTheBinsToPlainMeansOfTheFirstStepsWhateverTheOrderOfPoints) {
  TimeBins bins;
  for (const double shift : {0.0, 1.0, 5.0}) {
    TimeBinSums forward, backward;
    for (int i = 0; i < 10; ++i) forward.add(0.51, -shift - 0.1 * i);
    for (int i = 9; i >= 0; --i) backward.add(0.51, -shift - 0.1 * i);
    EXPECT_EQ(forward.values(), backward.values());
    bins = forward.after(bins);
  }
  const auto bin = TimeBins::bin_of(0.51);
  EXPECT_NEAR(bins.size[bin], 2.45, 0x1p-20) << "(0.45 + 1.45 + 5.45)/3, each residual rounded to 2^-20";
  EXPECT_EQ(bins.seen[bin], 3);
  EXPECT_EQ(std::accumulate(bins.seen.begin(), bins.seen.end(), 0.0), 3) << "other bins have seen nothing";
}

// After the first hundred steps, a hundredth of what is new enters with every step.
TEST(TimeBinSums, ForgetOneStepInAHundred) {
  TimeBins bins;
  bins.size[0] = 3;
  bins.seen[0] = 1000;
  TimeBinSums sums;
  sums.add(0, 8);
  EXPECT_NEAR(sums.after(bins).size[0], 3.05, 1e-12);
}

// R is what the level leaves of values around 7, which one of no weight joins. The first step finds the level, and the others keep it: in a
// level that is the same in all bins nothing depends on where in its bin a point is.
TEST(TimeBinSums, MoveTheLevelByTheWeightedMeanOfWhatItLeaves) {
  TimeBins bins;
  for (int step = 0; step < 40; ++step) {
    TimeBinSums sums;
    for (int b = 0; b < TimeBins::count; ++b) {
      const double s = (b + 0.25) / TimeBins::count;
      sums.add(s, 6 - bins.level_at(s), 0.5);
      sums.add(s, 9 - bins.level_at(s), 0.25);
      sums.add(s, 1e5, 0);
    }
    bins = sums.after_with_level(bins);
    for (const double level : bins.level) ASSERT_NEAR(level, 7, 1e-5) << "step " << step;
  }
  // Later steps count for a twentieth.
  TimeBinSums sums;
  sums.add(0.3, 10, 1);
  EXPECT_NEAR(sums.after_with_level(bins).level[TimeBins::bin_of(0.3)], 7.5, 1e-5);
  EXPECT_EQ(sums.after(bins).level, bins.level) << "where C is known otherwise";
}

TEST(TimeBinSums, LeaveOutWhatIsNotFiniteAndBoundWhatIsHuge) {
  TimeBinSums sums;
  sums.add(0.5, std::nan(""));
  sums.add(0.5, INFINITY);
  EXPECT_EQ(sums.after({}), TimeBins());
  sums.add(0.5, 1e30);
  EXPECT_EQ(sums.after({}).size[TimeBins::bin_of(0.5)], 0x1p20);
}

}  // namespace
}  // namespace boltzcurve
