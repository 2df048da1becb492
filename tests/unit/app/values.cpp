#include "app/sweep/values.hpp"
#include <boltzcurve/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace boltzcurve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::string> all_of(const std::string& text) { return listed(parse_values(text)); }

TEST(SweepValues, OfAListAreItsTexts) {
  EXPECT_THAT(all_of("32, 64,128"), ElementsAre("32", "64", "128"));
  EXPECT_THAT(all_of(" gradient-flow "), ElementsAre("gradient-flow"));
}

TEST(SweepValues, ThatHoldCommasStandInQuotes) {
  EXPECT_THAT(all_of("\"langevin:0.5,trajectory:0.5\", uniform:1"), ElementsAre("langevin:0.5,trajectory:0.5", "uniform:1"));
}

TEST(SweepValues, OfRangesHaveTheirBoundsAndRoundNumbersBetween) {
  EXPECT_THAT(all_of("log(1e-4, 1e-1, 4)"), ElementsAre("0.0001", "0.001", "0.01", "0.1"));
  EXPECT_THAT(all_of("linear(0.1, 0.9, 5)"), ElementsAre("0.1", "0.3", "0.5", "0.7", "0.9"));
  EXPECT_THAT(all_of("linear(-1, 1, 3)"), ElementsAre("-1", "0", "1"));
  EXPECT_THAT(all_of("log(2, 3, 1)"), ElementsAre("2"));
}

TEST(SweepValues, OfIntegersAreAllOfThemOrAsManyAsAskedFor) {
  EXPECT_THAT(all_of("integers(3, 6)"), ElementsAre("3", "4", "5", "6"));
  EXPECT_THAT(all_of("integers(0, 1000, 3)"), ElementsAre("0", "500", "1000"));
  EXPECT_THAT(all_of("log-integers(16, 256, 5)"), ElementsAre("16", "32", "64", "128", "256"));
}

TEST(SweepValues, ThatMakeNoSenseAreRefusedWithWhatWouldBeRight) {
  const auto refused = [](const std::string& text, const std::string& why) {
    EXPECT_THAT([&] { all_of(text); }, ThrowsMessage<ConfigError>(HasSubstr(why))) << text;
  };
  refused("logs(1, 2, 3)", "unknown scale 'logs'; did you mean log?");
  refused("log(0, 1, 3)", "both bounds must be above 0");
  refused("linear(2, 1, 3)", "the lower bound is above the upper one");
  refused("linear(1, 2)", "how many values? linear(LOWER, UPPER, COUNT)");
  refused("linear(1)", "expected linear(LOWER, UPPER)");
  refused("linear(1, x, 3)", "'x' is no number");
  refused("linear(1, 2, 2.5)", "the count must be a whole number from 1 to 1000000");
  refused("integers(1.5, 2)", "both bounds must be whole numbers");
  refused("log-integers(1, 4, 9)", "9 values from 1 to 4 are not all different");
  refused("1,,2", "a value of the list is empty");
  refused("\"a, b", "a double quote has no partner");
}

TEST(SweepDraws, DivideTheUnitIntervalFairly) {
  const auto integers = parse_values("integers(1, 4)");
  EXPECT_EQ(drawn(integers, 0.0), "1");
  EXPECT_EQ(drawn(integers, 0.2499), "1");
  EXPECT_EQ(drawn(integers, 0.25), "2");
  EXPECT_EQ(drawn(integers, 0.9999), "4");
  const auto list = parse_values("adam, soap");
  EXPECT_EQ(drawn(list, 0.49), "adam");
  EXPECT_EQ(drawn(list, 0.5), "soap");
  EXPECT_EQ(drawn(parse_values("log(1e-4, 1e-2)"), 0.5), "0.001");
  EXPECT_EQ(drawn(parse_values("linear(-1, 3)"), 0.25), "0");
  EXPECT_THAT([] { drawn(parse_values("linear(0, 1, 5)"), 0.5); }, ThrowsMessage<ConfigError>(HasSubstr("has bounds and no count")));
}

// The first seven points of the sequence in three dimensions with the direction numbers of Joe and Kuo (SIAM J. Sci. Comput. 30, 2008), as
// SciPy has them too.
TEST(SweepDraws, OfSobolsSequenceAreTheKnownPoints) {
  const auto points = sobol_points(3, 7);
  const UnitPoints known = {{0.5, 0.5, 0.5},       {0.75, 0.25, 0.25},    {0.25, 0.75, 0.75},   {0.375, 0.375, 0.625},
                            {0.875, 0.875, 0.125}, {0.625, 0.125, 0.875}, {0.125, 0.625, 0.375}};
  EXPECT_EQ(points, known);
}

// A net: with the corner, each of 64 slices of equal width of every axis holds one of 64 points.
TEST(SweepDraws, OfSobolsSequenceFillEveryAxisEvenly) {
  const auto points = sobol_points(20, 63);
  for (std::size_t d = 0; d < 20; ++d) {
    std::set<double> slices = {0};
    for (const auto& point : points) slices.insert(std::floor(64 * point[d]));
    EXPECT_EQ(slices.size(), 64u) << d;
  }
}

TEST(SweepDraws, AtRandomDependOnSeedAxisAndIndexAlone) {
  const auto points = random_points(7, 2, 3), more = random_points(7, 3, 10), others = random_points(8, 2, 3);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t d = 0; d < 2; ++d) {
      EXPECT_EQ(points[i][d], more[i][d]);
      EXPECT_NE(points[i][d], others[i][d]);
    }
  EXPECT_NE(points[0][0], points[0][1]);
}

// The mean of 4096 has a standard deviation of 0.0045: six of them, a false alarm in 5e8.
TEST(SweepDraws, AtRandomAreUniform) {
  double sum = 0;
  for (const auto& point : random_points(1, 1, 4096)) sum += point[0];
  EXPECT_NEAR(sum / 4096, 0.5, 6 * std::sqrt(1.0 / 12 / 4096));
}

}  // namespace
}  // namespace boltzcurve
